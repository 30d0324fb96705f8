"""The models an experiment may train: one class a kind."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlhw.config.fields import Activation, Count, Fraction, Strict, Widths


class NumpyMlp(Strict):
    """A multi-layer perceptron in numpy, backpropagation by hand.

    ``squash_scores`` puts the activation on the output layer too, before the softmax, as the course's notebook does.
    """

    kind: Literal["numpy-mlp"]
    hidden_sizes: Widths = (128,)
    activation: Activation = "sigmoid"
    init: Literal["uniform", "tiny", "glorot", "he"] = "glorot"
    bias: Literal["all", "input", "none"] = "all"
    squash_scores: bool = False
    dtype: Literal["float32", "float64"] = "float32"


class TensorMlp(Strict):
    """A multi-layer perceptron in torch tensor operations alone: no autograd, no ``torch.nn``."""

    kind: Literal["tensor-mlp"]
    hidden_sizes: Widths = (128,)
    activation: Activation = "sigmoid"
    init: Literal["normal", "glorot", "he"] = "glorot"
    dtype: Literal["float32", "float64"] = "float32"


class NumpyLayer(Strict):
    """A layer of ``units``: ``dense`` f(xW + b), or ``residual`` x + f(xW + b)V."""

    kind: Literal["dense", "residual"]
    units: Annotated[int, Field(ge=1, le=65536)]


class NumpyResnet(Strict):
    """Dense and residual layers in numpy, gradients by hand; with no ``layers`` it is softmax regression.

    ``loss: least-squares`` fits the scores to the one-hot classes instead. ``dropout`` follows every layer but the last.
    """

    kind: Literal["numpy-resnet"]
    layers: Annotated[tuple[NumpyLayer, ...], Field(max_length=64)] = ()
    activation: Activation = "tanh"
    loss: Literal["cross-entropy", "least-squares"] = "cross-entropy"
    init: Literal["small", "glorot", "he"] = "small"
    dropout: Fraction = 0.0
    dtype: Literal["float32", "float64"] = "float64"


class DigitsCnn(Strict):
    """Two 3×3 convolutions, ReLU, one 2×2 max pooling, one linear layer."""

    kind: Literal["digits-cnn"]
    channels: tuple[Count, Count] = (16, 32)
    dropout: Fraction = 0.0


class FashionCnn(Strict):
    """Four blocks Conv3×3-ReLU-MaxPool2-BatchNorm-Dropout, then Linear-ReLU-Linear."""

    kind: Literal["fashion-cnn"]
    channels: tuple[Count, Count, Count, Count] = (32, 64, 128, 256)
    hidden_units: Annotated[int, Field(ge=1, le=65536)] = 128
    dropout: Fraction = 0.3


class TorchAnn(Strict):
    """Linear layers with ReLU between them, as ``torch.nn`` modules, trained through autograd."""

    kind: Literal["torch-ann"]
    hidden_sizes: Widths = (128,)
    dropout: Fraction = 0.0


class GroceryBlocksCnn(Strict):
    """The course's three blocks Conv3×3-BatchNorm-ReLU-MaxPool4, dropout and one linear layer."""

    kind: Literal["grocery-blocks"]
    channels: tuple[Count, Count, Count] = (21, 42, 84)
    dropout: Fraction = 0.5


class GroceryCnn(Strict):
    """Inverted residuals (depthwise-separable, squeeze-and-excitation), global pooling and one linear layer."""

    kind: Literal["grocery-cnn"]
    stem_channels: Annotated[
        Count | Annotated[tuple[Count, ...], Field(min_length=1, max_length=4)],
        Field(description="channels of the strided 3×3 convolution at the beginning, or of several"),
    ] = 16
    stages: Annotated[
        tuple[tuple[Count, Count, Count, Literal[1, 2]], ...],
        Field(max_length=16, description="(channels, blocks, expansion, stride) a stage"),
    ] = ((16, 1, 1, 1), (24, 2, 3, 2), (32, 2, 3, 2), (48, 2, 3, 2))
    squeeze_excitation: bool = True
    head_channels: Annotated[int, Field(ge=0, le=65536)] = 0
    dropout: Fraction = 0.1


Model = Annotated[
    NumpyMlp | TensorMlp | NumpyResnet | DigitsCnn | TorchAnn | FashionCnn | GroceryBlocksCnn | GroceryCnn,
    Field(discriminator="kind"),
]

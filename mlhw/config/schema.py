"""Every key an experiment may have: frozen classes, one a kind, unknown keys refused.

Units stand in the names. Defaults are the plain choice, so that a YAML shows what is special about it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError, model_validator

SCHEMA_VERSION = 1

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False, le=1e9)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False, le=1e9)]
Count = Annotated[int, Field(ge=1, le=10**9)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Pixels = Annotated[int, Field(ge=1, le=4096)]
Widths = Annotated[tuple[Annotated[int, Field(ge=1, le=65536)], ...], Field(max_length=64)]
Activation = Literal["sigmoid", "tanh", "relu"]
Threshold = Annotated[str, StringConstraints(pattern=r"^\s*(<|<=|>|>=|==)\s*[0-9_]+(\.[0-9]+)?([eE][-+]?[0-9]+)?\s*$")]


class Strict(BaseModel):
    """Frozen; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


# --- data -------------------------------------------------------------------------------------------------------------


class DataBase(Strict):
    """Keys of every data set.

    ``val_fraction`` of the training rows become the validation split where the data brings none, drawn by ``seed.data``;
    ``train_rows`` keeps only the first rows. ``normalize`` says how stored values become inputs: as they are, divided
    to [0, 1], by the training rows' mean and deviation a channel, or by ImageNet's.
    """

    val_fraction: Fraction = 0.0
    train_rows: Count | None = None
    normalize: Literal["none", "unit", "standard", "imagenet"] = "unit"


class MnistData(DataBase):
    """MNIST: IDX files in ``MNIST/raw``, or label-first CSVs ``MNIST/mnist_train.csv`` and ``mnist_test.csv``."""

    kind: Literal["mnist"]
    source: Literal["auto", "idx", "csv"] = "auto"


class FashionMnistData(DataBase):
    """Fashion-MNIST: IDX files in ``FashionMNIST/raw``."""

    kind: Literal["fashion-mnist"]


class DigitsData(DataBase):
    """scikit-learn's digits (8×8, values 0 to 16), ``split_rows`` of them for training, drawn by ``split_seed``."""

    kind: Literal["digits"]
    split_rows: Annotated[int, Field(ge=10, le=1787)] = 500
    split_seed: Annotated[int, Field(ge=0, lt=2**32)] = 4803
    normalize: Literal["none", "unit", "standard", "imagenet"] = "none"


class ImageData(DataBase):
    """Keys of every data set that is made of image files."""

    image_size_pixels: Pixels = 96
    resize: Literal["squash", "crop"] = "squash"
    skip_bad: bool = False


class GroceryData(ImageData):
    """The Grocery Store Dataset, in the public layout or flattened, with its 43 coarse or 81 fine classes."""

    kind: Literal["grocery"]
    labels: Literal["coarse", "fine"] = "coarse"


class FolderData(ImageData):
    """A folder of class folders, with or without train/val/test above them; ``test_fraction`` is carved where no test."""

    kind: Literal["folder"]
    path: Annotated[str, Field(min_length=1)]
    channels: Literal[1, 3] = 3
    test_fraction: Fraction = 0.0


class ImageCsvData(ImageData):
    """CSVs of ``path,label``; a relative path starts at the CSV's own folder."""

    kind: Literal["image-csv"]
    train: Annotated[str, Field(min_length=1)]
    val: str | None = None
    test: str | None = None
    channels: Literal[1, 3] = 3
    test_fraction: Fraction = 0.0


class PixelCsvData(DataBase):
    """CSVs of one example a row: a label (the first column, or the one named ``label``) and the numbers of the input."""

    kind: Literal["pixel-csv"]
    train: Annotated[str, Field(min_length=1)]
    val: str | None = None
    test: str | None = None
    image_shape: tuple[Pixels, Pixels, Literal[1, 3]] | None = None
    test_fraction: Fraction = 0.0


Data = Annotated[
    MnistData | FashionMnistData | DigitsData | GroceryData | FolderData | ImageCsvData | PixelCsvData,
    Field(discriminator="kind"),
]

# --- models -----------------------------------------------------------------------------------------------------------


class NumpyMlp(Strict):
    """A multi-layer perceptron in numpy, backpropagation by hand.

    ``squash_scores`` puts the activation on the output layer too, before the softmax, as the course's notebook does.
    """

    kind: Literal["numpy-mlp"]
    hidden_sizes: Widths = (128,)
    activation: Activation = "sigmoid"
    init: Literal["uniform", "glorot", "he"] = "glorot"
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


class DigitsCnn(Strict):
    """Two 3×3 convolutions, ReLU, one 2×2 max pooling, one linear layer."""

    kind: Literal["digits-cnn"]
    channels: tuple[Count, Count] = (16, 32)
    dropout: Fraction = 0.0


class GroceryBlocksCnn(Strict):
    """The course's three blocks Conv3×3-BatchNorm-ReLU-MaxPool4, dropout and one linear layer."""

    kind: Literal["grocery-blocks"]
    channels: tuple[Count, Count, Count] = (21, 42, 84)
    dropout: Fraction = 0.5


class GroceryCnn(Strict):
    """Inverted residuals (depthwise-separable, squeeze-and-excitation), global pooling and one linear layer."""

    kind: Literal["grocery-cnn"]
    stem_channels: Count = 16
    stages: Annotated[
        tuple[tuple[Count, Count, Count, Literal[1, 2]], ...],
        Field(max_length=16, description="(channels, blocks, expansion, stride) a stage"),
    ] = ((16, 1, 1, 1), (24, 2, 3, 2), (32, 2, 3, 2), (48, 2, 3, 2))
    squeeze_excitation: bool = True
    head_channels: Annotated[int, Field(ge=0, le=65536)] = 0
    dropout: Fraction = 0.1


Model = Annotated[
    NumpyMlp | TensorMlp | DigitsCnn | GroceryBlocksCnn | GroceryCnn,
    Field(discriminator="kind"),
]

# --- training ---------------------------------------------------------------------------------------------------------


class Sgd(Strict):
    """Stochastic gradient descent, with momentum where it is not 0."""

    kind: Literal["sgd"]
    momentum: Fraction = 0.0
    nesterov: bool = False


class Adam(Strict):
    """Adam (Kingma & Ba, 2015); weight decay is added to the gradient."""

    kind: Literal["adam"]
    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    epsilon: Positive = 1e-8


class AdamW(Strict):
    """Adam with decoupled weight decay (Loshchilov & Hutter, 2019)."""

    kind: Literal["adamw"]
    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    epsilon: Positive = 1e-8


Optimizer = Annotated[Sgd | Adam | AdamW, Field(discriminator="kind")]


class ConstantSchedule(Strict):
    """The base rate throughout."""

    kind: Literal["constant"]


class StepSchedule(Strict):
    """The rate is multiplied by ``factor`` after every ``every_epochs``."""

    kind: Literal["step"]
    every_epochs: Count
    factor: Annotated[float, Field(gt=0, le=1)] = 0.1


class CosineSchedule(Strict):
    """Linear warm-up over ``warmup_fraction`` of the training, then half a cosine down to ``final_scale``."""

    kind: Literal["cosine"]
    warmup_fraction: Fraction = 0.0
    final_scale: Annotated[float, Field(ge=0, le=1)] = 0.0


class OneCycleSchedule(Strict):
    """Up from ``initial_scale`` to 1 in ``peak_fraction`` of the training and down to 0, both along a cosine."""

    kind: Literal["one-cycle"]
    peak_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.3
    initial_scale: Annotated[float, Field(gt=0, le=1)] = 0.04


Schedule = Annotated[ConstantSchedule | StepSchedule | CosineSchedule | OneCycleSchedule, Field(discriminator="kind")]


class Augment(Strict):
    """Random changes to training images, drawn anew for each batch; every default leaves the images as they are.

    ``flip`` mirrors half of them; ``shift_fraction`` of the side, ``rotate_degrees``, ``scale_fraction`` are the largest
    changes of one affine map an image; ``brightness``, ``contrast`` and ``saturation`` scale by up to 1 ± that;
    ``erase_fraction`` blanks a square of up to that part of the area; ``mixup_alpha`` mixes pairs by a Beta(α, α) share.
    """

    flip: bool = False
    shift_fraction: Fraction = 0.0
    rotate_degrees: Annotated[float, Field(ge=0, le=180)] = 0.0
    scale_fraction: Fraction = 0.0
    brightness: Fraction = 0.0
    contrast: Fraction = 0.0
    saturation: Fraction = 0.0
    erase_fraction: Fraction = 0.0
    mixup_alpha: Annotated[float, Field(ge=0, le=10)] = 0.0


class Train(Strict):
    """How the model is trained."""

    epochs: Annotated[int, Field(ge=1, le=10_000_000)]
    batch_size: Count
    lr: Positive
    weight_decay: NonNegative = 0.0
    weight_decay_on: Literal["all", "matrices"] = "all"
    optimizer: Optimizer = Sgd(kind="sgd")
    schedule: Schedule = ConstantSchedule(kind="constant")
    shuffle: bool = True
    label_smoothing: Fraction = 0.0
    average_decay: Annotated[float, Field(ge=0, lt=1)] | None = None
    augment: Augment | None = None
    best_by: Literal["accuracy", "loss"] = "accuracy"
    patience_epochs: Count | None = None
    score_test: Literal["end", "epoch"] = "end"
    time_limit_seconds: Positive | None = None
    init_from: Annotated[str, Field(min_length=1)] | None = None


class Seeds(Strict):
    """``init`` draws the weights and dropout; ``data`` the carved validation rows, the order and the augmentation."""

    init: Seed = 0
    data: Seed = 0


class Expect(Strict):
    """What the result should be. ``parameters`` is a budget: breaking it stops the run before it starts."""

    parameters: Threshold | None = None
    test_accuracy: Threshold | None = None
    val_accuracy: Threshold | None = None


class Sweep(Strict):
    """The learning rates to compare."""

    lrs: Annotated[tuple[Positive, ...], Field(min_length=1, max_length=1000)]


class Experiment(Strict):
    """One experiment, wholly described."""

    name: Name
    description: Annotated[str, Field(max_length=2000)] = ""
    source: Annotated[str, Field(max_length=2000)] = ""
    result: Annotated[str, Field(max_length=2000)] = ""
    data: Data
    model: Model
    train: Train
    seed: Seeds = Seeds()
    expect: Expect = Expect()
    sweep: Sweep | None = None
    device: Annotated[str, StringConstraints(pattern=r"^(auto|cpu|mps|cuda(:[0-9]{1,3})?)$")] = "auto"
    threads: Annotated[int, Field(ge=1, le=4096)] | None = None

    @model_validator(mode="after")
    def _carve_once(self) -> Experiment:
        if self.train.patience_epochs is not None and self.data.val_fraction == 0 and self.data.kind in NO_VAL:
            raise ValueError("train.patience_epochs needs validation rows: set data.val_fraction, for example to 0.1")
        return self


NO_VAL = ("mnist", "fashion-mnist", "digits")


def is_name(text: str) -> bool:
    """Whether ``text`` can name an experiment or a run's folder."""
    try:
        TypeAdapter(Name).validate_python(text)
    except ValidationError:
        return False
    return True

"""How a model may be trained: optimisers, schedules, augmentation, and the loop's own keys."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mlhw.config.fields import Count, Fraction, NonNegative, Positive, Strict


class Sgd(Strict):
    """Stochastic gradient descent, with momentum where it is not 0."""

    kind: Literal["sgd"]
    momentum: Fraction = 0.0
    nesterov: bool = False

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> Sgd:
        if self.nesterov and not self.momentum:
            raise ValueError(
                "train.optimizer.nesterov needs momentum: set train.optimizer.momentum, for example to 0.9"
            )
        return self


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
    ``crop_fraction`` is the largest part of the area that a crop cuts away, ``aspect_fraction`` of 0.3 stretches to up to
    1.3 to 1 either way, ``hue_degrees`` turns the colours about grey, ``white_balance`` scales each
    channel by itself by up to 1 ± that, as another light does; ``erase_fraction`` blanks ``erase_count`` squares of
    up to that part of the area each; ``mixup_alpha`` blends pairs by a Beta(α, α) share, ``cutmix_alpha`` swaps a rectangle
    of such a share, and with both a batch gets the one or the other by lot. ``mix_fraction`` of the batches are mixed at all,
    and none after ``mix_until_fraction`` of the training. ``size_pixels`` is the height that the network
    trains on where it is less than the images' own, in which they are scored: crops look larger than whole images, and
    so become alike (Touvron et al., NeurIPS 2019). With ``start_size_pixels`` images grow from that height to the
    last in the first two thirds of the training.
    """

    flip: bool = False
    shift_fraction: Fraction = 0.0
    rotate_degrees: Annotated[float, Field(ge=0, le=180)] = 0.0
    scale_fraction: Fraction = 0.0
    crop_fraction: Fraction = 0.0
    aspect_fraction: Fraction = 0.0
    brightness: Fraction = 0.0
    contrast: Fraction = 0.0
    saturation: Fraction = 0.0
    hue_degrees: Annotated[float, Field(ge=0, le=180)] = 0.0
    white_balance: Fraction = 0.0
    erase_fraction: Fraction = 0.0
    erase_count: Annotated[int, Field(ge=1, le=16)] = 1
    mixup_alpha: Annotated[float, Field(ge=0, le=10)] = 0.0
    cutmix_alpha: Annotated[float, Field(ge=0, le=10)] = 0.0
    mix_fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    mix_until_fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    size_pixels: Annotated[int, Field(ge=8, le=4096)] | None = None
    start_size_pixels: Annotated[int, Field(ge=8, le=4096)] | None = None

    @model_validator(mode="after")
    def _something_is_mixed(self) -> Augment:
        if (self.mix_fraction < 1 or self.mix_until_fraction < 1) and not (self.mixup_alpha or self.cutmix_alpha):
            raise ValueError("nothing is mixed: mix_fraction and mix_until_fraction need mixup_alpha or cutmix_alpha")
        return self


class Train(Strict):
    """How the model is trained.

    ``best_by`` says which epoch's weights are reported: those best on val by accuracy or by loss, or the ``last``, as for a
    convex fit that is only to converge. With ``precision: bfloat16`` the layers of steps multiply in that type (torch's
    autocast) on weights that stay float32, and scoring is in float32: faster where the processor has instructions for it,
    and slower where it has none. ``statistics_rows`` train rows, as they are scored, give batch normalisation its means
    and variances before each scoring; without, they are those of the steps, of augmented batches with units dropped.
    """

    epochs: Annotated[int, Field(ge=1, le=10_000_000)]
    batch_size: Count
    lr: Positive
    weight_decay: NonNegative = 0.0
    weight_decay_on: Literal["all", "matrices"] = "all"
    optimizer: Optimizer = Sgd(kind="sgd")
    schedule: Schedule = ConstantSchedule(kind="constant")
    shuffle: bool = True
    precision: Literal["float32", "bfloat16"] = "float32"
    label_smoothing: Fraction = 0.0
    average_decay: Annotated[float, Field(ge=0, lt=1)] | None = None
    statistics_rows: Annotated[int, Field(ge=2)] | None = None
    augment: Augment | None = None
    best_by: Literal["accuracy", "loss", "last"] = "accuracy"
    patience_epochs: Count | None = None
    score_test: Literal["end", "epoch"] = "end"
    time_limit_seconds: Positive | None = None
    init_from: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _patience_needs_a_best(self) -> Train:
        if self.patience_epochs is not None and self.best_by == "last":
            raise ValueError("train.patience_epochs waits for a better epoch: set train.best_by to accuracy or loss")
        return self

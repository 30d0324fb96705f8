"""The data sets an experiment may use: one class a kind."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mlhw.config.fields import Count, Fraction, Pixels, Strict


class DataBase(Strict):
    """Keys of every data set.

    ``val_fraction`` of the training rows become the validation split where the data brings none, drawn by ``seed.data``;
    ``train_rows`` keeps only that many rows: the first, or (``train_draw: random``) rows drawn by ``seed.data``, each class
    in its share. ``train_on: train+val`` adds the val rows that the data brings to the training rows, for a last fit once
    everything is chosen: nothing is left to choose by. ``normalize`` says how stored values become inputs: as they are,
    divided to [0, 1], by the training rows' mean and deviation a channel, or by ImageNet's.
    """

    train_on: Literal["train", "train+val"] = "train"
    val_fraction: Fraction = 0.0
    train_rows: Count | None = None
    train_draw: Literal["first", "random"] = "first"
    normalize: Literal["none", "unit", "standard", "imagenet"] = "unit"

    @model_validator(mode="after")
    def _val_is_held_out_or_trained_on(self) -> DataBase:
        if self.train_on == "train+val" and self.val_fraction:
            raise ValueError("data.val_fraction holds out what data.train_on: train+val trains on: set one of the two")
        return self


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


class ToyData(DataBase):
    """The course's toy problems: ``toy2d/{GMM,Peaks,SwissRoll}Data.mat``, or rows generated where (``auto``) there is none.

    Their rows stand class by class: the first 200 would be of one class.
    """

    kind: Literal["gmm", "peaks", "swissroll"]
    source: Literal["auto", "mat", "generated"] = "auto"
    train_draw: Literal["first", "random"] = "random"
    normalize: Literal["none", "unit", "standard", "imagenet"] = "none"


class ImageData(DataBase):
    """Keys of every data set that is made of image files."""

    image_size_pixels: Pixels = 96
    resize: Literal["squash", "crop"] = "squash"
    skip_bad: bool = False


class GroceryData(ImageData):
    """The Grocery Store Dataset, in the public layout or flattened, with its 43 coarse or 81 fine classes.

    ``labels`` are those that the model is trained on. ``report: coarse`` with ``labels: fine`` tells everything but the
    training loss in coarse classes: a coarse class has the summed probability of its fine ones.
    """

    kind: Literal["grocery"]
    labels: Literal["coarse", "fine"] = "coarse"
    report: Literal["coarse"] | None = None


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
    MnistData | FashionMnistData | DigitsData | ToyData | GroceryData | FolderData | ImageCsvData | PixelCsvData,
    Field(discriminator="kind"),
]

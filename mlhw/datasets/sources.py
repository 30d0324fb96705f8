"""Where each public data set comes from, what its files are called, and the hashes that they must have.

A literal table: reading it imports nothing but the standard library.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PackedFile:
    """One file that is fetched as ``<name>.gz`` and kept unpacked; sizes in bytes, hashes in hex."""

    name: str
    size: int
    sha256: str
    packed_size: int
    packed_md5: str


@dataclass(frozen=True, slots=True)
class CourseFile:
    """One file that cannot be fetched: a course hands it out. Where it is absent, such data is generated."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Archive:
    """A zip of which the members below ``inside`` are kept, pinned by content: zips of one commit need not be equal.

    ``sha256`` is over the sorted lines ``path NUL sha256-of-the-file LF`` of ``tables`` and of all files that the lists
    among them name; ``files`` and ``size`` are their number and bytes.
    """

    name: str
    inside: str
    tables: dict[str, str]
    files: int
    size: int
    sha256: str
    most_bytes: int


@dataclass(frozen=True, slots=True)
class Source:
    """A data set: its name, where it lies below the data folder, and how it is fetched.

    Not at all where it is embedded in a library (neither files nor archive), or is a ``course_file``.
    """

    name: str
    title: str
    licence: str
    homepage: str
    folder: str = ""
    mirrors: tuple[str, ...] = ()
    files: tuple[PackedFile, ...] = ()
    archive: Archive | None = None
    course_file: CourseFile | None = None

    @property
    def download_bytes(self) -> int:
        """About how much a fetch brings; 0 where nothing is fetched."""
        return self.archive.size if self.archive else sum(file.packed_size for file in self.files)


MNIST = Source(
    name="mnist",
    title="MNIST handwritten digits, 28×28, 60,000 train and 10,000 test",
    licence="CC BY-SA 3.0 (LeCun, Cortes, Burges)",
    homepage="http://yann.lecun.com/exdb/mnist/",
    folder="MNIST/raw",
    mirrors=("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"),
    files=(
        PackedFile(
            "train-images-idx3-ubyte",
            47_040_016,
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            9_912_422,
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        ),
        PackedFile(
            "train-labels-idx1-ubyte",
            60_008,
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            28_881,
            "d53e105ee54ea40749a09fcbcd1e9432",
        ),
        PackedFile(
            "t10k-images-idx3-ubyte",
            7_840_016,
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            1_648_877,
            "9fb629c4189551a2d022fa330f9573f3",
        ),
        PackedFile(
            "t10k-labels-idx1-ubyte",
            10_008,
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            4_542,
            "ec29112dd5afa0611ce80d1b7f02629c",
        ),
    ),
)

FASHION_MNIST = Source(
    name="fashion-mnist",
    title="Fashion-MNIST clothes, 28×28, 60,000 train and 10,000 test",
    licence="MIT (Zalando Research)",
    homepage="https://github.com/zalandoresearch/fashion-mnist",
    folder="FashionMNIST/raw",
    mirrors=(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    ),
    files=(
        PackedFile(
            "train-images-idx3-ubyte",
            47_040_016,
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            26_421_880,
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        ),
        PackedFile(
            "train-labels-idx1-ubyte",
            60_008,
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            29_515,
            "25c81989df183df01b3e8a0aad5dffbe",
        ),
        PackedFile(
            "t10k-images-idx3-ubyte",
            7_840_016,
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            4_422_102,
            "bef4ecab320f06d8554ea6380940ec79",
        ),
        PackedFile(
            "t10k-labels-idx1-ubyte",
            10_008,
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            5_148,
            "bb300cfdad3c16e7a12a480ee83cd310",
        ),
    ),
)

DIGITS = Source(
    name="digits",
    title="scikit-learn's digits, 8×8, 1,797 images",
    licence="CC BY 4.0 (Alpaydin and Kaynak, UCI)",
    homepage="https://archive.ics.uci.edu/dataset/80",
)

GROCERY = Source(
    name="grocery",
    title="Grocery Store Dataset, photos, 2,640 train, 296 val and 2,485 test, 81 fine and 43 coarse classes",
    licence="MIT (Klasson, Zhang, Kjellström, WACV 2019)",
    homepage="https://github.com/marcusklasson/GroceryStoreDataset",
    folder="GroceryStoreDataset/dataset",
    mirrors=(
        "https://github.com/marcusklasson/GroceryStoreDataset/archive/fc80ba9.zip",
        "https://codeload.github.com/marcusklasson/GroceryStoreDataset/zip/fc80ba9",
    ),
    archive=Archive(
        name="GroceryStoreDataset.zip",
        inside="dataset",
        tables={
            "classes.csv": "6e1115adf36741498034165778a3300cd11f24c419e32a60d0a5057dd92998c1",
            "test.txt": "9a464934780665c0024db405571c0dd2d149488a245f476557de7f1c31cf8a93",
            "train.txt": "b6d6a4d25fc2a7604f4bbd4e8010516f3bb643f727fc60ef5fca042edd01294f",
            "val.txt": "a2a2bdf8ce34196c1a1dd554bd67e780793aab9363dd40d6cf50fe2d168a78b6",
        },
        files=5_425,
        size=121_888_309,
        sha256="a73ef255a332ff9ae8d8b3206a3a17c54fe7aee333fb64d1bba39370a09fbe39",
        most_bytes=400_000_000,
    ),
)

GMM = Source(
    name="gmm",
    title="GMM, a mixture of Gaussians: 5 features, 5 classes, 25,000 train and 6,250 val",
    licence="course data",
    homepage="",
    folder="toy2d",
    course_file=CourseFile("GMMData.mat", 582_698, "f04b30d6e81db19f0ce81046d64de78b9cca36186cb0b4c6a597c6bce7673787"),
)

PEAKS = Source(
    name="peaks",
    title="Peaks, levels of a surface: 2 features, 5 classes, 25,000 train and 6,250 val",
    licence="course data",
    homepage="",
    folder="toy2d",
    course_file=CourseFile(
        "PeaksData.mat", 237_395, "96a04daa1c540b5b15ae2ba76bc83c50a330f295cbd840c2481bac8fc6cf5e81"
    ),
)

SWISSROLL = Source(
    name="swissroll",
    title="SwissRoll, two spiral arms: 2 features, 2 classes, 20,000 train and 5,000 val",
    licence="course data",
    homepage="",
    folder="toy2d",
    course_file=CourseFile(
        "SwissRollData.mat", 186_642, "e8823934dd85ba555ea3e749856c2af343f4f6eb0c663f4f0d08003e233d145e"
    ),
)

SOURCES = {source.name: source for source in (MNIST, FASHION_MNIST, DIGITS, GROCERY, GMM, PEAKS, SWISSROLL)}

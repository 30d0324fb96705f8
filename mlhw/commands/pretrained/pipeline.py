"""Many pictures through one or several networks: decoding beside computing, in a bounded memory, results in order."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final, NamedTuple

import torch
from PIL.Image import Image

from mlhw.datasets.picture_memory import MOST_MEMORY
from mlhw.datasets.pictures import BadImage, Found, open_picture
from mlhw.datasets.room import Room
from mlhw.models import zoo
from mlhw.models.preprocessing import Preprocessing, stack
from mlhw.models.zoo import How, Network

CPU_ROWS: Final = (
    8  # in a batch: its activations stay below 32 MB, from where glibc gets and gives back memory page by page
)
MOST_DECODERS: Final = 16
MOST_TOGETHER: Final = (
    1_200 * 10**6
)  # bytes of all decoders: three of the largest pictures, or a dozen of 12 megapixels
MOST_LANES: Final = 8


Opener = Callable[[Found, Callable[[int], None]], Image]


class Prediction(NamedTuple):
    """What one network says of one picture: its classes, likeliest first, and the entropy of all its probabilities."""

    indices: tuple[int, ...]
    probabilities: tuple[float, ...]
    entropy_bits: float


class Outcome(NamedTuple):
    """What came of one picture: a prediction by each network, or the reason why there is none."""

    picture: Found
    predictions: tuple[Prediction, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Lanes:
    """How threads are shared out: so many ``lanes``, each with ``threads`` and a batch of ``rows``, beside the ``decoders``."""

    lanes: int
    threads: int
    rows: int
    decoders: int


def share(threads: int, batch_size: int, device: str) -> Lanes:
    """Lanes for that many threads, with at most ``batch_size`` pictures in the network at once.

    On a CPU small batches side by side, a thread each, beat a large one that all threads compute together: they never wait for
    one another, and a core that decodes holds nobody up. A GPU gets the whole batch, and the next while it computes.
    """
    decoders = min(threads, MOST_DECODERS)
    if device != "cpu":
        return Lanes(2, 1, batch_size, decoders)
    lanes = max(1, min(threads, batch_size // CPU_ROWS, MOST_LANES))
    return Lanes(lanes, max(1, threads // lanes), min(CPU_ROWS, batch_size), decoders)


def outcomes(
    pictures: Sequence[Found],
    networks: Sequence[Network],
    how: How,
    top: int,
    lanes: Lanes,
    opened: Opener = lambda found, need: open_picture(found.path, need),
) -> Generator[list[Outcome], None, None]:
    """What came of ``pictures``, in their order, a batch at a time as they are done.

    Each picture is decoded once for all ``networks``. A picture that cannot be used takes nobody else down. Closing the
    generator, or an exception in between, ends the threads.

    Args:
        pictures: those with a ``problem`` are not opened.
        networks: all get the same pictures.
        how: the preprocessing, see ``zoo.How``.
        top: how many classes of each, at most those that the network has.
        lanes: see :func:`share`.
        opened: a picture as RGB, once it said what memory it needs; raises BadImage.
    """
    ways = list(dict.fromkeys(network.preprocessing(how) for network in networks))
    decode = partial(_decode, ways=ways, opened=opened, room=Room(MOST_TOGETHER, MOST_MEMORY))
    compute = partial(_compute, networks=networks, ways=ways, how=how, top=top)
    before = torch.get_num_threads()
    running: deque[Future[list[Outcome]]] = deque()
    batches = iter(pictures)
    decoders = ThreadPoolExecutor(lanes.decoders, "decode")
    workers = ThreadPoolExecutor(lanes.lanes, "network", torch.set_num_threads, (lanes.threads,))
    try:
        while batch := list(islice(batches, lanes.rows)):
            running.append(workers.submit(compute, batch, [decoders.submit(decode, picture) for picture in batch]))
            if len(running) > 2 * lanes.lanes:  # one in each lane, one decoded for it, one on the way
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    finally:
        decoders.shutdown(wait=False, cancel_futures=True)
        workers.shutdown(cancel_futures=True)
        decoders.shutdown()
        torch.set_num_threads(before)  # what a lane sets is also the default of threads to come


Decoded = tuple[torch.Tensor, ...] | str  # a picture in each of the sizes wanted, or why there is none


def _decode(picture: Found, ways: Sequence[Preprocessing], opened: Opener, room: Room) -> Decoded:
    if picture.problem is not None:
        return picture.problem
    try:
        with room.share() as share:
            image = opened(picture, share.need)
            return tuple(way.picture(image) for way in ways)
    except BadImage as bad:
        return str(bad) or "damaged"
    except Exception as error:  # whatever a picture does, it is the only one to be left out
        return f"damaged ({type(error).__name__}: {error})"


def _compute(
    pictures: Sequence[Found],
    decoding: Sequence[Future[Decoded]],
    networks: Sequence[Network],
    ways: Sequence[Preprocessing],
    how: How,
    top: int,
) -> list[Outcome]:
    """What came of ``pictures``, whose pixels are ``decoding``; their places tell which is whose."""
    found = [Outcome(picture) for picture in pictures]
    good: list[tuple[int, tuple[torch.Tensor, ...]]] = []
    for place, decoded in enumerate(future.result() for future in decoding):
        if isinstance(decoded, str):
            found[place] = Outcome(pictures[place], reason=decoded)
        else:
            good.append((place, decoded))
    if good:
        batches = {way: stack([sizes[number] for _, sizes in good]) for number, way in enumerate(ways)}
        said = [_predict(network, batches[network.preprocessing(how)], how, top) for network in networks]
        for (place, _), predictions in zip(good, zip(*said, strict=True), strict=True):
            found[place] = Outcome(pictures[place], predictions)
    return found


@torch.inference_mode()
def _predict(network: Network, batch: torch.Tensor, how: How, top: int) -> list[Prediction]:
    probabilities = zoo.scores(network, zoo.normalise(batch, how, network)).softmax(dim=1)
    values, indices = probabilities.topk(min(top, probabilities.shape[1]))
    entropy = torch.special.entr(probabilities).sum(dim=1) / math.log(2)
    columns = zip(indices.tolist(), values.tolist(), entropy.tolist(), strict=True)
    return [Prediction(tuple(of), tuple(share), bits) for of, share, bits in columns]

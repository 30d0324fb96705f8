"""``python -m benchmarks.peers.first_prediction WEIGHTS PICTURE [plain]``: imports, VGG16 from a file, one forward.

Without ``plain`` as quick as torch allows: the file mapped, no initialisation that is thrown away, channels last. With it,
as the course writes it. Prints the class's index.
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from PIL import Image
from torchvision.models import vgg16


def main(weights: str, picture: str, plain: bool) -> None:
    if plain:
        network = vgg16()
        network.load_state_dict(torch.load(weights, weights_only=True))
    else:
        with torch.device("meta"):
            network = vgg16()
        network.load_state_dict(torch.load(weights, weights_only=True, mmap=True), assign=True)
        network = network.to(memory_format=torch.channels_last)
    network.eval()
    pixels = np.array(Image.open(picture).convert("RGB").resize((224, 224), Image.Resampling.BILINEAR))
    image = torch.from_numpy(pixels).permute(2, 0, 1).float()[None] / 255
    shift, scale = (torch.tensor(numbers)[:, None, None] for numbers in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    with torch.inference_mode():
        print(network((image - shift) / scale).argmax(dim=1).item())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], plain="plain" in sys.argv[3:])

"""Pictures are decoded and drawn anew: what is kept are their pixels and nothing that was hidden beside them."""

import io
import math
from typing import Any, BinaryIO

import pillow_heif
from PIL import Image, ImageCms, ImageOps

from libs.common.runtime.media.verdict import UnfitError

MOST_PIXELS = 64_000_000
"""Telephones take pictures of 50 million."""
KEPT_PIXELS = 16_000_000
"""A larger picture is made smaller, to where a page of small print can still be read."""
_BECOMES = {"JPEG": "JPEG", "HEIF": "JPEG", "PNG": "PNG", "GIF": "PNG", "WEBP": "WEBP"}
_SAVE: dict[str, dict[str, Any]] = {"JPEG": {"quality": 88, "optimize": True}, "PNG": {}, "WEBP": {"quality": 88}}
_NAMES = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}
_SRGB = ImageCms.createProfile("sRGB")

pillow_heif.register_heif_opener(thumbnails=False)
# Our own bound is lower and an error, theirs a warning at first.
Image.MAX_IMAGE_PIXELS = None


def clean(reader: str, source: BinaryIO, target: BinaryIO) -> str:
    """Draw a picture anew and return the name of its format, one that every browser shows.

    It is turned as its EXIF says and in sRGB, and without EXIF, place, profile, comment, thumbnail or anything behind
    its end. Of a moving picture the first is kept.
    """
    with Image.open(source, formats=[reader]) as image:
        if image.width * image.height > MOST_PIXELS:
            raise UnfitError(f"must have at most {MOST_PIXELS} pixels")
        kept = _BECOMES[reader]
        _drawn(image, kept).save(target, kept, **_SAVE[kept])
    return _NAMES[kept]


def _drawn(image: Image.Image, kept: str) -> Image.Image:
    """Return what is to be seen, as an image that knows nothing else. Nothing is copied that need not be."""
    # A JPEG can be decoded at a half, a quarter or an eighth of its size, in as much less memory.
    image.draft(None, _kept_size(image))
    ImageOps.exif_transpose(image, in_place=True)
    plain = _in_srgb(image)
    mode = "RGBA" if plain.has_transparency_data and kept != "JPEG" else "RGB"
    if plain.mode != mode:
        plain = plain.convert(mode)
    if plain.width * plain.height > KEPT_PIXELS:
        plain = plain.resize(_kept_size(plain), Image.Resampling.LANCZOS)
    plain.info = {}
    return plain


def _kept_size(image: Image.Image) -> tuple[int, int]:
    shrink = min(1.0, math.sqrt(KEPT_PIXELS / (image.width * image.height)))
    return max(1, int(image.width * shrink)), max(1, int(image.height * shrink))


def _in_srgb(image: Image.Image) -> Image.Image:
    """Return the picture in the colours that a browser takes it for once its profile is gone."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in {"RGB", "RGBA", "CMYK"}:
        return image
    output = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        theirs = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        moved = ImageCms.profileToProfile(image, theirs, _SRGB, outputMode=output)
    except (ImageCms.PyCMSError, OSError):
        return image
    return moved or image

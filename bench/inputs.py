# SPDX-License-Identifier: MIT
"""Input files for the rows, made once in a directory that the caller removes. Content: libraries and documents of the
machine itself, so that compressors see what they see in real life."""
import glob
import os

SOURCES = ("/usr/lib/*/lib*.so.*", "/usr/share/doc/*/copyright", "/usr/share/perl/*/*.pl", "/usr/lib/python3*/*.py")
FRAME = (640, 360)


class Inputs:
    """File names by what they hold; each is made when first asked for."""

    def __init__(self, directory):
        self.directory = directory

    def mixed(self, mib):
        """`mib` MiB of binaries and text."""
        path = os.path.join(self.directory, f"mixed{mib}")
        if not os.path.exists(path):
            with open(path + ".part", "wb") as out:
                self._fill(out, mib << 20)
            os.rename(path + ".part", path)
        return path

    @staticmethod
    def _fill(out, size):
        names = sorted(n for pattern in SOURCES for n in glob.glob(pattern) if os.path.isfile(n))
        while out.tell() < size:
            before = out.tell()
            for name in names:
                with open(name, "rb") as f:
                    out.write(f.read(size - out.tell()))
                if out.tell() >= size:
                    return
            if out.tell() == before:
                out.write(os.urandom(1 << 16))

    def video(self, frames):
        """Raw 4:2:0 frames with a moving pattern and some noise."""
        path = os.path.join(self.directory, f"video{frames}.yuv")
        if not os.path.exists(path):
            width, height = FRAME
            ramp = bytes((x * x // 97 + x) & 255 for x in range(width * 4))
            with open(path + ".part", "wb") as out:
                for n in range(frames):
                    for y in range(height):
                        at = (n * 3 + y * 5) % (width * 2)
                        out.write(ramp[at:at + width])
                    out.write(bytes([(n * 2) & 255]) * (width * height // 4))
                    out.write(bytes([255 - (n * 2) & 255]) * (width * height // 4))
            os.rename(path + ".part", path)
        return path

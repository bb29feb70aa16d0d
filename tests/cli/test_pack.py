# SPDX-License-Identifier: MIT
"""thrum pack: one file with all that reading elsewhere takes, and packs that mean harm."""
import io
import os
import shutil
import tarfile

from thrum_cli import Case, main, target


class Pack(Case):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path("bin"))
        shutil.copy(target("abba"), self.path("bin", "program"))
        self.env["TMPDIR"] = self.path("tmp")
        os.mkdir(self.path("tmp"))

    def record(self):
        self.assert_status(self.thrum("record", "--", "bin/program", "pass"), 0)

    def names(self, pack):
        tar = self.path("plain.tar")
        os.system(f"zstd -q -d -f '{self.path(pack)}' -o '{tar}'")
        with tarfile.open(tar) as archive:
            return [entry.name for entry in archive]

    def test_report_is_the_same_where_nothing_of_the_program_is_left(self):
        self.record()
        before = self.thrum("check", "--format=json").stdout
        result = self.thrum("pack")
        self.assert_status(result, 0)
        self.assertRegex(result.stderr, r"packed into thrum\.data\.thrum-pack: .* (KiB|MiB), .* 0 missing\n")
        shutil.rmtree(self.path("bin"))
        shutil.rmtree(self.path("thrum.data"))
        os.rename(self.path("thrum.data.thrum-pack"), self.path("elsewhere"))
        after = self.thrum("check", "--format=json", "elsewhere")
        self.assert_status(after, 66)
        self.assertEqual(after.stdout.replace('"elsewhere"', '"thrum.data"'), before)
        for verb in ("dump", "info"):
            self.assert_status(self.thrum(verb, "elsewhere"), 0)
        self.assertIn("(forward abba.c:", self.thrum("dump", "elsewhere").stdout)
        self.assertEqual(os.listdir(self.path("tmp")), [])

    def test_same_trace_same_bytes(self):
        self.record()
        packs = []
        for name in ("one", "two"):
            self.assert_status(self.thrum("pack", "thrum.data/", "-o", name), 0)
            with open(self.path(name), "rb") as file:
                packs.append(file.read())
        self.assertEqual(*packs)
        self.assertEqual(os.stat(self.path("one")).st_mode & 0o777, 0o600)

    def test_no_path_of_the_user_in_names(self):
        self.record()
        self.assert_status(self.thrum("pack", "-o", "x"), 0)
        if shutil.which("zstd"):
            names = self.names("x")
            self.assertEqual(names[0], "thrum-pack.json")
            self.assertNotIn(self.folder.strip("/"), " ".join(names))
            self.assertEqual(names[1:], sorted(names[1:], key=lambda n: (not n.startswith("trace/"), n)))

    def test_module_that_is_not_there_is_said(self):
        self.record()
        os.unlink(self.path("bin", "program"))
        result = self.thrum("pack")
        self.assert_status(result, 0)
        self.assertRegex(result.stderr, r"not packed, .*/bin/program\n")
        self.assertIn("1 missing", result.stderr)

    def test_module_that_is_another_file_now_is_not_taken(self):
        self.record()
        shutil.copy(target("threads"), self.path("bin", "program"))
        self.assertRegex(self.thrum("pack").stderr, r"not packed, .*/bin/program\n")

    def test_several_traces_and_packs_in_one_report(self):
        self.record()
        self.assert_status(self.thrum("pack", "-o", "one"), 0)
        self.assert_status(self.thrum("record", "-o", "two", "--", target("threads"), "0"), 0)
        result = self.thrum("check", "--format=json", "one", "two")
        self.assert_status(result, 66)

    def test_what_cannot_be_packed(self):
        self.assert_status(self.thrum("pack"), 65)
        self.record()
        self.assert_status(self.thrum("pack", "-o", "absent/x"), 70)
        self.assert_status(self.thrum("pack", "-o", "x", "thrum.data", "more"), 64)
        self.assert_status(self.thrum("pack", "-o", "x"), 0)
        self.assert_status(self.thrum("pack", "x"), 64)
        self.assertEqual(sorted(os.listdir(self.folder)), ["bin", "thrum.data", "tmp", "x"])

    def test_torn_pack(self):
        self.record()
        self.assert_status(self.thrum("pack", "-o", "x"), 0)
        with open(self.path("x"), "rb") as file:
            whole = file.read()
        for size in (0, 1, 10, 100, 1000, len(whole) // 2, len(whole) - 1):
            with open(self.path("torn"), "wb") as file:
                file.write(whole[:size])
            for verb in ("check", "info"):
                result = self.thrum(verb, "torn")
                self.assert_status(result, 65)
                self.assertEqual(result.stderr.count("\n"), 1)
        for place in range(0, len(whole), max(1, len(whole) // 40)):
            with open(self.path("torn"), "wb") as file:
                file.write(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
            self.assertIn(self.thrum("check", "torn").returncode, (0, 65, 66))
        self.assertEqual(os.listdir(self.path("tmp")), [])


def plain(name, data=b"x"):
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    return entry, data


def special(name, kind, link=""):
    entry = tarfile.TarInfo(name)
    entry.type = kind
    entry.linkname = link
    return entry, b""


MANIFEST = plain("thrum-pack.json", b"{}")


class Hostile(Case):
    """Archives that libarchive reads, made by hand: refused, and nothing outside is touched."""

    def setUp(self):
        super().setUp()
        self.env["TMPDIR"] = self.path("tmp")
        os.mkdir(self.path("tmp"))

    def refuse(self, *entries, why="refused"):
        with tarfile.open(self.path("bad"), "w") as archive:
            for entry, data in entries:
                archive.addfile(entry, io.BytesIO(data))
        result = self.thrum("check", "bad")
        self.assert_status(result, 65)
        self.assertIn(why, result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1)
        self.assertEqual(sorted(os.listdir(self.folder)), ["bad", "tmp"])
        self.assertEqual(os.listdir(self.path("tmp")), [])

    def test_names(self):
        for name in (
            "../escape", "/etc/escape", "trace/../../escape", "symbols/../escape", "symbols/a/../../b",
            "symbols//x", "symbols/./x", "symbols/", "trace/escape", "trace/1.1.map/x", "trace/", "other",
            "symbols/" + "d/" * 3000 + "x",
        ):
            self.refuse(MANIFEST, plain(name), why="")

    def test_kinds(self):
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            self.refuse(MANIFEST, special("symbols/x", kind, "../../.."))
        self.refuse(MANIFEST, special("symbols/x", tarfile.SYMTYPE, "../.."), plain("symbols/x/escape"))

    def test_twice_the_same_name(self):
        self.refuse(MANIFEST, plain("trace/1.1.map"), plain("trace/1.1.map"), why="twice")

    def test_file_in_the_place_of_a_folder(self):
        self.refuse(MANIFEST, plain("symbols/x"), plain("symbols/x/y"), why="")

    def test_archives_of_other_programs(self):
        self.refuse(plain("README"), why="thrum pack did not make it")
        self.refuse(why="")
        with open(self.path("bad"), "wb") as file:
            file.write(b"PK\3\4 no tar at all")
        self.assert_status(self.thrum("check", "bad"), 65)

    def test_bombs(self):
        entry = tarfile.TarInfo("trace/1.1.map")
        entry.size = 1 << 40
        with open(self.path("bad"), "wb") as file:
            file.write(MANIFEST[0].tobuf() + b"{}".ljust(512, b"\0") + entry.tobuf())
        result = self.thrum("check", "bad")
        self.assert_status(result, 65)
        self.assertIn("thousands of times", result.stderr)
        self.assertEqual(os.listdir(self.path("tmp")), [])


main()

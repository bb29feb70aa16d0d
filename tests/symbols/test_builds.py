# SPDX-License-Identifier: MIT
"""The program compiled, linked and stripped in many ways, checked where it was recorded."""
import os
import platform
import shutil
import unittest

from inversion import HERE, Case, line_of, main, needs

# Name, programs it needs, compiler, flags: everything is known of all of these.
ROWS = [
    ("dwarf5", [], "cc", "-O2 -g -gdwarf-5"),
    ("dwarf4", [], "cc", "-O2 -g -gdwarf-4"),
    ("not_optimised", [], "cc", "-O0 -g"),
    ("most_optimised", [], "cc", "-O3 -g3"),
    ("for_size", [], "cc", "-Os -g"),
    ("not_pie", [], "cc", "-O2 -g -no-pie -fno-pie"),
    ("compressed", [], "cc", "-O2 -g -gz=zlib"),
    ("compressed_gnu", [], "cc", "-O2 -g -gdwarf-4 -Wa,--compress-debug-sections=zlib-gnu -Wl,--compress-debug-sections=zlib-gnu"),
    ("lto", [], "cc", "-O2 -g -flto"),
    ("sections_collected", [], "cc", "-O2 -g -ffunction-sections -fdata-sections -Wl,--gc-sections"),
    ("type_units", [], "cc", "-O2 -g -fdebug-types-section"),
    ("split_dwarf5", [], "cc", "-O2 -g -gdwarf-5 -gsplit-dwarf"),
    ("split_dwarf4", [], "cc", "-O2 -g -gdwarf-4 -gsplit-dwarf"),
    ("build_id_md5", [], "cc", "-O2 -g -Wl,--build-id=md5"),
    ("gold", ["ld.gold"], "cc", "-O2 -g -fuse-ld=gold"),
    ("gold_icf", ["ld.gold"], "cc", "-O2 -g -fuse-ld=gold -ffunction-sections -Wl,--icf=safe"),
    ("lld", ["ld.lld"], "cc", "-O2 -g -fuse-ld=lld -Wl,--build-id"),
    ("clang_dwarf5", ["clang"], "clang", "-O2 -g -gdwarf-5"),
    ("clang_dwarf4", ["clang"], "clang", "-O2 -g -gdwarf-4"),
    ("clang_lld_icf", ["clang", "ld.lld"], "clang", "-O2 -g -fuse-ld=lld -Wl,--build-id -ffunction-sections -Wl,--icf=all"),
    ("clang_split", ["clang"], "clang", "-O2 -g -gdwarf-5 -gsplit-dwarf"),
]


class Compiled(Case):
    """One test a row."""


def add_row(name, programs, compiler, flags):
    @needs(*programs)
    def test(self):
        self.build(flags, compiler)
        self.record()
        finding, said = self.check()
        self.expect_all(finding)
        self.assertEqual(said, "")

    setattr(Compiled, "test_" + name, test)


for row in ROWS:
    add_row(*row)


class NamedRelative(Case):
    """Compilers are given "../src/x.c"; readers are not in the folder where they ran."""

    def files(self, script):
        self.shell(f"mkdir -p src build; cp '{HERE}/inversion.c' src; {script}")
        self.record()
        finding, _ = self.check()
        return {frame["file"] for stack in finding["stacks"] for frame in stack["frames"] if "line" in frame}

    def test_from_beside(self):
        for version in (4, 5):
            self.assertEqual(self.files(f"cd build; cc -g -gdwarf-{version} -O2 -pthread -o ../program ../src/inversion.c"),
                             {self.path("src/inversion.c")})

    def test_from_the_same_folder(self):
        for version in (4, 5):
            self.assertEqual(self.files(f"cd src; cc -g -gdwarf-{version} -pthread -o ../program inversion.c"),
                             {self.path("src/inversion.c")})

    def test_in_split_files(self):
        self.assertEqual(self.files("cd build; cc -g -gsplit-dwarf -O2 -pthread -o ../program ../src/inversion.c"),
                         {self.path("src/inversion.c")})

    def test_made_relative_on_purpose(self):
        self.assertEqual(self.files(f"cd build; cc -g -ffile-prefix-map={self.folder}=. -pthread -o ../program "
                                    f"{self.path('src/inversion.c')}"), {"src/inversion.c"})


class Stripped(Case):
    def setUp(self):
        super().setUp()
        self.build("-O2 -g -ffile-prefix-map=/nowhere=/nowhere")

    def test_of_debug_information(self):
        self.shell("strip -g program")
        self.record()
        finding, _ = self.check()
        self.expect_names_only(finding)
        self.assertEqual(sorted(lock["name"] for lock in finding["locks"])[0][:9], "accounts+")

    def test_of_everything(self):
        self.shell("strip program")
        self.record()
        finding, said = self.check()
        self.expect_offsets_only(finding, self.build_id())
        self.assertEqual(said, "")

    @needs("xz")
    def test_with_mini_debug_information(self):
        self.shell("objcopy --only-keep-debug program full && strip -g full && xz -k full && strip program\n"
                   "objcopy --add-section .gnu_debugdata=full.xz program")
        self.record()
        self.expect_names_only(self.check()[0])

    def test_with_a_debug_link(self):
        self.shell("objcopy --only-keep-debug program program.debug\nstrip program\n"
                   "objcopy --add-gnu-debuglink=program.debug program")
        self.record()
        self.expect_all(self.check()[0])

    def test_with_a_debug_link_into_a_folder(self):
        self.shell("mkdir .debug && objcopy --only-keep-debug program .debug/program.debug\nstrip program\n"
                   "objcopy --add-gnu-debuglink=.debug/program.debug program")
        self.record()
        self.expect_all(self.check()[0])

    def test_with_a_compressed_debug_file(self):
        self.shell("objcopy --only-keep-debug --compress-debug-sections program program.debug\nstrip program\n"
                   "objcopy --add-gnu-debuglink=program.debug program")
        self.record()
        self.expect_all(self.check()[0])


@needs("dwz")
class SharedByDwz(Case):
    """dwz moves what two debug files have in common into a third."""

    def setUp(self):
        super().setUp()
        self.build("-O2 -g")
        self.build("-O1 -g", name="other")
        self.shell("for n in program other; do objcopy --only-keep-debug $n $n.debug; strip $n;\n"
                   "objcopy --add-gnu-debuglink=$n.debug $n; done\n"
                   "mkdir shared && dwz -m shared/common.debug -M ../shared/common.debug -r program.debug other.debug ||\n"
                   "dwz -m shared/common.debug -r program.debug other.debug")
        self.assertIn(".gnu_debugaltlink", self.shell("readelf -SW program.debug"))
        self.record()

    def test_is_put_together(self):
        self.expect_all(self.check()[0])

    def test_is_found_by_build_id(self):
        self.shell("mkdir symbols && mv shared/common.debug symbols/any.name")
        self.expect_all(self.check("--symbols=symbols")[0])

    def test_of_another_build_is_not_believed(self):
        self.build("-O2 -g", "c++", "inversion.cc", "third")
        self.build("-O1 -g", "c++", "inversion.cc", "fourth")
        self.shell("for n in third fourth; do objcopy --only-keep-debug $n $n.debug; done\n"
                   "dwz -m shared/common.debug third.debug fourth.debug")
        finding, said = self.check()
        self.assertIn("supplementary file (dwz) is missing or of another build", said)
        self.expect_names_only(finding)

    def test_missing_is_said(self):
        self.shell("rm -r shared")
        finding, said = self.check()
        self.assertIn("supplementary file (dwz) is missing", said)
        for frame in sum(self.program_stacks(finding), []):
            if "line" in frame:
                self.assertIn(frame["line"], [line_of(m) for m in ("take", "from", "to", "forwards", "backwards")])


class Cxx(Case):
    def check_build(self, flags, compiler):
        self.build("-std=c++17 " + flags, compiler, "inversion.cc")
        self.record()
        finding, _ = self.check()
        self.expect_lock_names(finding, ["bank::(anonymous namespace)::accounts[2].lock_",
                                         "bank::shared_account()::account.lock_"])
        functions = {f["function"] for stack in self.program_stacks(finding) for f in stack}
        self.assertIn("bank::Account::transfer<long>(std::mutex&, long)", functions)
        frames = [f for stack in self.program_stacks(finding) for f in stack if f.get("line") == line_of("pay", "inversion.cc")]
        self.assertTrue(frames)
        self.assertEqual(frames[0]["language"], "c++")

    def test_names_of_gcc(self):
        self.check_build("-O2 -g", "c++")

    @unittest.skipUnless(shutil.which("clang++"), "not installed: clang++")
    def test_names_of_clang(self):
        self.check_build("-O2 -g", "clang++")


class Rust(Case):
    @needs("rustc")
    def test_names_of_rustc(self):
        # The folder is HOME here, and rustup's rustc looks there for its compilers.
        self.env["RUSTUP_HOME"] = os.environ.get("RUSTUP_HOME", os.path.expanduser("~/.rustup"))
        self.shell(f"rustc -g -O --edition 2021 '{HERE}/inversion.rs' -o program")
        self.record()
        finding, _ = self.check()
        self.expect_lock_names(finding, ["inversion::bank::ACCOUNTS[2].lock", "inversion::bank::SHARED"])
        frames = [f for stack in self.program_stacks(finding) for f in stack if f.get("line") == line_of("rust_to", "inversion.rs")]
        self.assertTrue(frames)
        self.assertEqual((frames[0]["function"], frames[0]["language"]), ("inversion::bank::transfer", "rust"))


class MadeInMemory(Case):
    """Code that the program wrote itself calls the functions that lock."""

    def names(self, maps):
        self.build("-O2 -g -D%s" % maps, source="jit.c")
        self.record()
        finding, said = self.check()
        self.assertEqual(said, "")
        map_path = "/tmp/perf-%d.map" % finding["threads"][0]["pid"]
        if os.path.exists(map_path):
            os.unlink(map_path)
        return {(f["module"], f.get("function")) for stack in finding["stacks"] for f in stack["frames"]
                if not f["module"].startswith("/")}

    @unittest.skipUnless(platform.machine() == "x86_64", "machine code of x86-64")
    def test_is_said_so(self):
        self.assertEqual(self.names("NO_MAP"), {("[jit or unknown code]", None)})

    @unittest.skipUnless(platform.machine() == "x86_64", "machine code of x86-64")
    def test_is_named_by_its_map(self):
        self.assertEqual(self.names("MAP"), {("[jit]", "compiled_by_itself")})


if __name__ == "__main__":
    main()

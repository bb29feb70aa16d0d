# SPDX-License-Identifier: MIT
"""Files that are gone, moved, or another build by the time the trace is checked."""
import os

from inversion import Case, main, needs


class Elsewhere(Case):
    """Recorded stripped; what people keep lies in a folder `kept`, in many layouts."""

    def setUp(self):
        super().setUp()
        self.build("-O2 -g")
        self.shell("cp program full && objcopy --only-keep-debug program debug && strip program")
        self.record()
        os.mkdir(self.path("kept"))

    def check_kept(self, script):
        self.expect_offsets_only(self.check()[0], self.build_id())
        self.shell(script)
        finding, said = self.check("--symbols", "kept")
        self.expect_all(finding)
        self.assertEqual(said, "")

    def test_unstripped_program_by_any_name(self):
        self.check_kept("mkdir -p kept/a/b && mv full kept/a/b/zzz")

    def test_debug_file_by_any_name(self):
        self.check_kept("mkdir -p kept/x && mv debug kept/x/y.z")

    def test_debug_file_by_build_id(self):
        build_id = self.build_id()
        self.check_kept(f"mkdir -p kept/.build-id/{build_id[:2]} && mv debug kept/.build-id/{build_id[:2]}/{build_id[2:]}.debug")

    def test_debug_file_through_a_link(self):
        self.check_kept("mv debug elsewhere && ln -s ../elsewhere kept/link")

    def test_program_is_gone_unstripped_one_is_kept(self):
        self.shell("rm program; mv full kept/other")
        self.expect_all(self.check("--symbols=kept")[0])

    def test_program_is_gone_only_the_debug_file_is_kept(self):
        self.shell("rm program; mv debug kept/other")
        self.expect_all(self.check("--symbols=kept")[0])

    def test_program_is_gone_stripped_and_debug_file_are_kept(self):
        self.shell("mv program kept/1; mv debug kept/2")
        self.expect_all(self.check("--symbols=kept")[0])

    def test_second_directory_counts(self):
        self.shell("mkdir none; rm program; mv full kept/other")
        finding, said = self.check("--symbols=none", "--symbols=kept", "--symbols=/does/not/exist")
        self.expect_all(finding)
        self.assertIn("--symbols: cannot read /does/not/exist", said)

    def test_other_files_do_no_harm(self):
        self.shell("mkfifo kept/pipe; ln -s . kept/loop; ln -s nowhere kept/broken; printf '\\177ELF' >kept/short\n"
                   "head -c 5000 full >kept/cut; echo text >kept/text; mv debug kept/zz")
        self.expect_all(self.check("--symbols=kept")[0])

    def test_gone_is_said_with_its_build_id(self):
        build_id = self.build_id()
        os.unlink(self.path("program"))
        finding, said = self.check()
        self.expect_offsets_only(finding, build_id)
        self.assertIn("program is not on this machine", said)
        self.assertIn(build_id, said)
        self.assertEqual(said.count("\n"), 1)
        self.assertEqual(self.check("--quiet")[1], "")

    def test_dump_takes_the_directory_too(self):
        self.shell("rm program; mv full kept/other")
        result = self.thrum("dump", "--symbols=kept")
        self.assertIn("inversion.c:", result.stdout)
        self.assertNotIn("inversion.c:", self.thrum("dump").stdout)


class Replaced(Case):
    def test_by_another_build_is_said_and_not_believed(self):
        self.build("-O2 -g")
        build_id = self.build_id()
        self.record()
        self.expect_all(self.check()[0])
        self.build("-O1 -g -DOTHER")
        finding, said = self.check()
        self.expect_offsets_only(finding, build_id)
        self.assertIn("program is another build than the recorded one", said)
        self.shell("mkdir kept; mv program kept")
        finding, said = self.check("--symbols=kept")  # the same name and the wrong build
        self.expect_offsets_only(finding, build_id)
        self.assertIn("not on this machine", said)

    def test_without_build_id_by_a_newer_file(self):
        self.build("-O2 -g -Wl,--build-id=none")
        self.record()
        self.expect_all(self.check()[0])
        self.shell("cp -p program same; touch -d '+1 hour' program")
        finding, said = self.check()
        self.expect_offsets_only(finding, None)
        self.assertIn("program has no build-id and was written after the recording", said)
        self.shell("mkdir kept; mv same kept/program")
        self.expect_all(self.check("--symbols=kept")[0])

    def test_debug_file_of_another_build(self):
        self.build("-O2 -g")
        self.shell("strip program; objcopy --add-gnu-debuglink=/dev/null program || true")
        self.build("-O1 -g -DOTHER", name="other")
        self.shell("objcopy --only-keep-debug other program.debug; objcopy --add-gnu-debuglink=program.debug program")
        self.record()
        self.expect_offsets_only(self.check()[0], self.build_id())


class SharedLibrary(Case):
    @needs("cc")
    def test_that_was_upgraded_while_the_program_ran(self):
        """The mapped file was deleted: the file of that name now is another one."""
        self.build("-O2 -g -shared -fPIC -Dmain=run", name="libbank.so")
        with open(self.path("main.c"), "w", encoding="utf-8") as file:
            file.write('#include <stdio.h>\n#include <unistd.h>\nint run(void);\n'
                       'int main(void)\n{\n\tint status = run();\n\tunlink("libbank.so");\n'
                       '\trename("new.so", "libbank.so");\n\treturn status;\n}\n')
        self.shell("cc -g main.c -o program ./libbank.so && cp libbank.so old.so")
        self.build("-O1 -g -shared -fPIC -Dmain=run", name="new.so")
        self.record()
        finding, said = self.check()
        for stack in finding["stacks"]:
            for frame in stack["frames"]:
                if frame["module"].startswith(self.path("libbank.so")):
                    self.assertNotIn("line", frame)
        self.assertIn("libbank.so", said)
        self.shell("mkdir kept; mv old.so kept")
        self.expect_all(self.check("--symbols=kept")[0])


if __name__ == "__main__":
    main()

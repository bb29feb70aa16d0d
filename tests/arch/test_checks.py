# SPDX-License-Identifier: MIT
"""The checks of this folder find what they are for: each is shown a small tree with one thing wrong."""
import os
import shutil
import tempfile
import unittest

import check_files
import check_layers
import check_shim
import make_docs

HEAD = "/* SPDX-License-Identifier: MIT */\n/*\n * {} - a file.\n */\n"


class Tree(unittest.TestCase):
    def setUp(self):
        self.tree = tempfile.mkdtemp(prefix="thrum-arch-")
        self.addCleanup(shutil.rmtree, self.tree)
        self.write("trace/reader.h", HEAD.format("reader.h"))
        self.write("analyzer/finding.h", HEAD.format("finding.h"))
        self.write("cli/main.c", HEAD.format("main.c") + '#include "../trace/reader.h"\n')

    def write(self, path, text):
        full = os.path.join(self.tree, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)


class Layers(Tree):
    def check(self):
        return list(check_layers.check(self.tree))

    def test_good_tree(self):
        self.assertEqual(self.check(), [])

    def test_include_against_the_arrow(self):
        self.write("trace/bad.c", '#include "../analyzer/finding.h"\n')
        self.assertEqual(self.check(), ["trace/bad.c: trace/ may not include analyzer/finding.h"])

    def test_shim_sees_only_the_format(self):
        self.write("preload/bad.c", '#  include "../trace/reader.h"\n')
        self.assertEqual(len(self.check()), 1)

    def test_include_that_is_not_there(self):
        self.write("cli/bad.c", '#include "absent.h"\n')
        self.assertIn("not in the tree", self.check()[0])

    def test_folder_without_a_layer(self):
        self.write("analyzer/new/bad.c", "\n")
        self.assertIn("has no layer", self.check()[0])

    def test_library_that_prints(self):
        self.write("viewer/bad.c", 'void f(void)\n{\n\tfprintf(stderr, "x");\n}\n')
        self.write("viewer/good.c", '/* printf(stderr) */\nconst char *s = "exit(1)";\n')
        self.assertEqual(self.check(), ["viewer/bad.c: stderr - libraries never print nor exit"])

    def test_empty_tree_is_no_success(self):
        shutil.rmtree(self.tree)
        os.mkdir(self.tree)
        self.assertEqual(self.check(), ["no source files found"])


class Files(Tree):
    def check(self):
        return list(check_files.check(self.tree))

    def test_good_tree(self):
        self.assertEqual(self.check(), [])

    def test_licence_and_banner(self):
        self.write("cli/bad.c", "int x;\n")
        self.assertEqual(len(self.check()), 2)
        self.write("cli/bad.c", HEAD.format("other.c"))
        self.assertEqual(len(self.check()), 1)
        self.write("tests/bad.py", "print()\n")
        self.assertEqual(len(self.check()), 2)

    def test_too_long(self):
        self.write("cli/bad.c", HEAD.format("bad.c") + "\n" * 800)
        self.assertIn("804 lines", self.check()[0])

    def test_drawer(self):
        self.write("cli/utils.c", HEAD.format("utils.c"))
        self.assertIn("a drawer", self.check()[0])


class Shim(unittest.TestCase):
    def test_exports(self):
        rows = {"pthread_mutex_lock", "sem_wait"}
        problems = list(check_shim.check_exports({"pthread_mutex_lock", "thrum_x", "helper"}, rows))
        self.assertEqual(len(problems), 2)
        self.assertIn("does not export sem_wait", problems[0])
        self.assertIn("exports helper", problems[1])

    def test_imports(self):
        allowed = {"memcpy": "GLIBC_2.14", "strlen": "GLIBC_2.2.5", "weak": "-"}
        good = {"memcpy": "GLIBC_2.2.5", "strlen": "GLIBC_2.2.5", "weak": "-"}
        self.assertEqual(list(check_shim.check_imports(good, allowed)), [])
        for bad in ({"memcpy": "GLIBC_2.34"}, {"malloc": "GLIBC_2.2.5"}, {"weak": "GLIBC_2.2.5"}):
            self.assertEqual(len(list(check_shim.check_imports(bad, allowed))), 1)


class Docs(Tree):
    def setUp(self):
        super().setUp()
        self.write("spec/objects.def", 'OBJECT(1, MUTEX, "mutex", 1, "a | b")\n')
        makers = make_docs.MAKERS
        self.addCleanup(setattr, make_docs, "MAKERS", makers)
        make_docs.MAKERS = {"objects": makers["objects"]}

    def test_part_is_filled_once(self):
        self.write("docs/x.md", "a\n<!-- table: objects -->\nold\n<!-- end table -->\nb\n")
        self.assertEqual(len(list(make_docs.run(self.tree, True))), 1)
        self.assertEqual(list(make_docs.run(self.tree, False)), [])
        self.assertEqual(list(make_docs.run(self.tree, True)), [])
        with open(os.path.join(self.tree, "docs/x.md"), encoding="utf-8") as file:
            text = file.read()
        self.assertIn("| 1 | mutex | yes | a \\| b |\n<!-- end table -->\nb\n", text)

    def test_table_that_no_document_has(self):
        self.assertEqual(list(make_docs.run(self.tree, True)), ["no document has the table objects"])

    def test_row_that_cannot_be_read(self):
        self.write("spec/objects.def", 'OBJECT(1, MUTEX, "mutex", 1, "x")\nOBJECT(2, OTHER)\n')
        self.write("docs/x.md", "<!-- table: objects -->\n<!-- end table -->\n")
        with self.assertRaises(SystemExit):
            list(make_docs.run(self.tree, True))


unittest.main(verbosity=2)

"""The program behaves as without the library, whatever it does with processes, memory, limits and its terminal."""
import subprocess
import unittest

from programs import BUILT
from tracing import environment, mtracer, run, same_behaviour, scratch


class Harmless(unittest.TestCase):
    def setUp(self):
        context = scratch()
        self.directory = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

    def both(self, *command, **variables):
        """Runs the program both ways, which must look the same."""
        native = run(command, traced=False, cwd=self.directory)
        same_behaviour(native, run(command, cwd=self.directory, **variables))
        return native

    def test_scan_is_no_child(self):
        """What looks for leaks is a process that nobody can find by waiting, and sends no signal."""
        for how in ("waitpid", "wait3", "wait4", "waitid", "nowait", "syscall", "blocking"):
            for _ in range(3):
                with self.subTest(how=how):
                    self.both(BUILT / "reaping", how)

    def test_scan_for_others_is_no_child(self):
        """Nor when somebody asks the running program."""
        for how in ("waitpid", "nowait", "blocking"):
            with self.subTest(how=how), subprocess.Popen(
                    [BUILT / "reaping", how, "1000"], cwd=self.directory, stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT, env=environment(True)) as child:
                while child.poll() is None:
                    mtracer("leaks", str(child.pid), "--wait", "1")
                self.assertEqual((child.returncode, child.stdout.read()), (0, b""))


if __name__ == "__main__":
    unittest.main()

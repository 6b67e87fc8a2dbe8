"""The client against a real daemon, whose state directory is BPROXY_HOME, with an extension that answers as
tests/process/python.rs says."""

import os
import tempfile
import unittest
from pathlib import Path

import bproxy


class TheClient(unittest.TestCase):
    def test_a_session_is_begun_used_and_closed(self) -> None:
        client = bproxy.connect()
        with client.session("research").fast() as session:
            self.assertEqual(session.open("https://a.example/").text("main"), "welcome to main")
            self.assertIn(session.id, [it["id"] for it in client.sessions()])
            self.assertEqual(session.tables()[0]["rows"], [["1", "2"]])
            (button,) = session.elements(form=True)
            session.click(button["handle"])
            session.click(bproxy.find("button", "Save"))
            self.assertEqual(session.fill("#name", "Ada")["verifiedValue"], "Ada")
            session.fill_form([("#a", "x"), (bproxy.find(label="B"), "y")])
            session.press("Control+a", "Delete")
            session.wait("text", "welcome", seconds=3)
        self.assertNotIn(session.id, [it["id"] for it in client.sessions()])

    def test_it_calls_the_port_with_the_token_where_that_is_asked_for(self) -> None:
        home = Path(os.environ["BPROXY_HOME"])
        client = bproxy.connect(home, port=int((home / "port").read_text()))
        self.assertIsInstance(client.sessions(), list)
        client._token = "wrong"
        with self.assertRaises(bproxy.Refused):
            client.sessions()

    def test_a_refusal_says_what_to_run_next(self) -> None:
        with bproxy.connect().session("refused") as session:
            session.open("https://a.example/")
            with self.assertRaises(bproxy.Refused) as refused:
                session.click("el77")
            self.assertEqual(refused.exception.code, "ELEMENT_HANDLE_NOT_FOUND")
            self.assertEqual(refused.exception.suggested_action, f"bproxy elements -s {session.id}")
            with self.assertRaises(bproxy.Refused) as paused:
                session.require_human("Please sign in", seconds=0)
            self.assertEqual(paused.exception.code, "TIMEOUT")
            self.assertIn("Please sign in", str(paused.exception))

    def test_what_has_no_effect_is_an_error_that_has_the_data(self) -> None:
        with bproxy.connect().session("no effect") as session:
            session.open("https://a.example/")
            with self.assertRaises(bproxy.NoEffect) as told:
                session.fill("#name", "refused")
            self.assertEqual(told.exception.data["verifiedValue"], "old")
            with self.assertRaises(bproxy.NoEffect):
                session.fill_form([("#a", "x"), ("#b", "refused")])

    def test_a_daemon_that_does_not_run_is_told_with_what_to_do(self) -> None:
        with tempfile.TemporaryDirectory() as home, self.assertRaisesRegex(bproxy.NotRunning, "bproxy service start"):
            bproxy.connect(home)

    def test_a_token_that_others_can_write_is_not_used(self) -> None:
        with tempfile.TemporaryDirectory() as home:
            for name in ("port", "token"):
                path = Path(home) / name
                path.write_text("9615")
                path.chmod(0o666)
            with self.assertRaisesRegex(bproxy.Error, "other users"):
                bproxy.connect(home)


if __name__ == "__main__":
    unittest.main()

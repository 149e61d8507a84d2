"""'gpuwhy mcp' with the real client of the Model Context Protocol, in its newest revision and by the older handshake; and
with lines that no client would send. Fetches mcp.

    python3 assistant_test.py GPUWHY
"""

import json
import subprocess
import sys
import unittest

import support

CLIENT = """
import asyncio, json, sys
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters

async def talk(mode):
    server = StdioServerParameters(command=sys.argv[1], args=["mcp"])
    async with Client(server, mode=mode) as client:
        tools = (await client.list_tools()).tools
        said = {"revision": client.protocol_version, "tools": {tool.name: tool.input_schema for tool in tools}}
        async def call(name, **arguments):
            result = await client.call_tool(name, arguments)
            return [result.is_error, result.content[0].text]
        said["check"] = await call("check", format="json", python="/usr/bin/python3")
        said["explain"] = await call("explain", text="Could not load dynamic library 'libcudart.so.11.0'; dlerror: libcudart.so.11.0: cannot open shared object file")
        said["lint"] = await call("lint", paths=[sys.argv[2]])
        said["rule"] = await call("rule", id="H01")
        said["rules"] = await call("rule")
        said["compat"] = await call("compat", release="tensorflow==2.16")
        said["wrong"] = await call("rule", id="H99")
        said["option"] = await call("lint", paths=["--fix"])
        said["unknown"] = await call("explain", log="x")
        return said

json.dump([asyncio.run(talk(mode)) for mode in ("auto", "legacy")], sys.stdout)
"""


class RealClient(unittest.TestCase):
    def test_both_eras(self):
        done = subprocess.run([support.environment("assistant"), "-c", CLIENT, support.GPUWHY, support.SOURCE / "tests/python/support.py"],
                              capture_output=True, text=True, timeout=200)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        newest, older = json.loads(done.stdout)
        self.assertEqual((newest["revision"], older["revision"]), ("2026-07-28", "2025-11-25"))
        for said in (newest, older):
            self.assertLessEqual({"check", "explain", "lint", "rule", "compat"}, set(said["tools"]))
            self.assertIs(said["check"][0], False)
            self.assertEqual(json.loads(said["check"][1])["verdicts"][0]["interpreter"], "/usr/bin/python3")
            self.assertIn("L01", said["explain"][1])
            self.assertIs(said["lint"][0], False)
            self.assertTrue(said["rule"][1].startswith("H01 no-gpu-hardware"))
            self.assertIn("P01", said["rules"][1])
            self.assertIn("cuDNN 8.9.7", said["compat"][1])
            self.assertEqual(said["wrong"], [True, "gpuwhy: no cause 'H99': did you mean 'H09'?\n"])
            self.assertIs(said["option"][0], True)  # a path, and there is none of that name
            self.assertEqual(said["unknown"], [True, "no parameter 'log' of 'explain'"])


def talk(data):
    done = subprocess.run([support.GPUWHY, "mcp"], input=data, capture_output=True, timeout=120)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


class Hostile(unittest.TestCase):
    def test_nothing(self):
        self.assertEqual(talk(b""), (0, [], b""))

    def test_a_line_that_does_not_end(self):
        """Memory stays bounded: the program may have 200 MB and is sent 1 GB."""
        child = subprocess.Popen(["sh", "-c", 'ulimit -v 200000; exec "$0" mcp', support.GPUWHY], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        piece = b"[" * (1 << 20)
        for _ in range(1024):
            child.stdin.write(piece)
        child.stdin.write(b'\n{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
        child.stdin.close()
        lines = [json.loads(line) for line in child.stdout.read().splitlines()]
        child.stdout.close()
        self.assertEqual(child.wait(), 0)
        self.assertEqual(lines[0]["error"]["code"], -32600)
        self.assertEqual(lines[1:], [{"jsonrpc": "2.0", "id": 1, "result": {}}])

    def test_deep_nesting(self):
        status, lines, _ = talk(b"[" * 8_000_000 + b"\n" + b'{"a":' * 1_000_000 + b"\n" + b"[" * 1_000_000 + b"]" * 1_000_000 + b"\n")
        self.assertEqual((status, [line["error"]["code"] for line in lines]), (0, [-32700, -32700, -32600]))

    def test_a_reader_that_goes_away(self):
        child = subprocess.Popen([support.GPUWHY, "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        child.stdout.close()
        try:
            child.stdin.write(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n' * 1000)
            child.stdin.close()
        except BrokenPipeError:
            pass
        child.wait(timeout=20)
        child.stderr.close()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)

"""Rows of the seal's matrix that CPython runs: one line "NAME: what came out" each.

A row that raises says FAIL and why; the other rows still run.
"""
import os
import subprocess
import sys

SERVER, SCRATCH = sys.argv[1:]


def ssl_row():
    import ssl
    import urllib.request
    with urllib.request.urlopen(SERVER + "/hello", timeout=10) as r:
        return ssl.OPENSSL_VERSION.split()[0] + " " + r.read().decode().strip()


def sqlite():
    import sqlite3
    return sqlite3.connect(":memory:").execute("select upper('lite') || sum(value) from json_each('[1,2]')").fetchone()[0]


def venv():
    where = SCRATCH + "/venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", where], check=True)
    code = "import sys, hashlib; print(sys.prefix, sys.base_prefix, len(hashlib.sha256().digest()))"
    return subprocess.run([where + "/bin/python", "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def locale_row():
    import locale
    locale.setlocale(locale.LC_ALL, "C.UTF-8")
    return locale.nl_langinfo(locale.CODESET) + " " + str("é".isalpha()) + " " + locale.strxfrm("ä")


def zoneinfo_row():
    import time
    import zoneinfo
    from datetime import datetime
    os.environ["TZ"] = "Asia/Tokyo"
    time.tzset()
    return f"{datetime(2024, 7, 1, tzinfo=zoneinfo.ZoneInfo('Europe/Berlin')).utcoffset()} {time.tzname[0]}"


def iconv():
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    libc.iconv_open.restype = ctypes.c_void_p
    cd = libc.iconv_open(b"UTF-8", b"ISO-8859-1")
    if cd == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "iconv_open")
    src, dst = ctypes.create_string_buffer(b"gr\xfc\xdfe"), ctypes.create_string_buffer(16)
    size = ctypes.c_size_t
    left, room = size(5), size(16)
    at, to = ctypes.c_char_p(ctypes.addressof(src)), ctypes.c_char_p(ctypes.addressof(dst))
    libc.iconv(ctypes.c_void_p(cd), ctypes.byref(at), ctypes.byref(left), ctypes.byref(to), ctypes.byref(room))
    return dst.value.decode()


def getpwnam():
    import pwd
    return f"{pwd.getpwnam('root').pw_uid} {pwd.getpwuid(os.getuid()).pw_name}"


def getaddrinfo():
    import socket
    return socket.getaddrinfo("localhost", 80, socket.AF_INET, socket.SOCK_STREAM)[0][4][0]


def ctypes_row():
    import ctypes
    libm = ctypes.CDLL("libm.so.6")
    libm.cos.restype = ctypes.c_double
    return f"{libm.cos(ctypes.c_double(0.0))} {os.confstr('CS_GNU_LIBC_VERSION').split()[0]}"


def curses_row():
    import curses
    curses.setupterm("xterm-256color", 1)
    return str(curses.tigetnum("colors"))


def numpy():
    import numpy
    a = numpy.array([[2.0, 1.0], [1.0, 3.0]])
    return str(numpy.linalg.solve(a, a).round(6).tolist())


def scipy():
    import scipy.linalg
    import scipy.optimize
    return f"{scipy.linalg.det([[1, 2], [3, 4]]):.1f} {scipy.optimize.brentq(lambda x: x * x - 4, 0, 9):.3f}"


def pillow():
    import io
    from PIL import Image, features
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, "JPEG")
    return f"{Image.open(io.BytesIO(out.getvalue())).size} {features.check('freetype2')} {features.check('webp')}"


def cryptography():
    from cryptography.hazmat.primitives.asymmetric import ed25519
    key = ed25519.Ed25519PrivateKey.generate()
    key.public_key().verify(key.sign(b"m"), b"m")
    return "verified"


def lxml():
    from lxml import etree
    return etree.fromstring("<a><b>é</b></a>").xpath("string(//b)")


def grpcio():
    import grpc
    from concurrent import futures
    server = grpc.server(futures.ThreadPoolExecutor(1))
    echo = grpc.method_handlers_generic_handler("s", {"Echo": grpc.unary_unary_rpc_method_handler(lambda m, _: m + b"!")})
    server.add_generic_rpc_handlers((echo,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        answer = channel.unary_unary("/s/Echo")(b"hi", timeout=20).decode()
    server.stop(None).wait()
    return answer


def psutil():
    import psutil
    return psutil.Process().name()[:6]


def orjson():
    import orjson
    return orjson.dumps({"é": [1, 2.5]}).decode()


def pydantic_core():
    from pydantic_core import SchemaValidator, core_schema
    return str(SchemaValidator(core_schema.list_schema(core_schema.int_schema())).validate_python(["1", 2]))


def tokenizers():
    from tokenizers import Tokenizer, models, pre_tokenizers
    t = Tokenizer(models.WordLevel({"a": 0, "b": 1, "?": 2}, unk_token="?"))
    t.pre_tokenizer = pre_tokenizers.Whitespace()
    return str(t.encode("a b c").ids)


def cffi():
    import cffi
    ffi = cffi.FFI()
    ffi.cdef("size_t strlen(const char *);")
    return str(ffi.dlopen(None).strlen(b"four"))


def pyyaml():
    import yaml
    return str(yaml.load("[1, x]", yaml.CSafeLoader))


def maps():
    """Every library in this process, which has imported all of the above."""
    paths = {line.split(maxsplit=5)[5].strip() for line in open("/proc/self/maps") if line.count("/")}
    libraries = {p for p in paths if ".so" in p}
    foreign = sorted(p for p in libraries if not p.startswith(("/openhands/", SCRATCH)))
    return " ".join(foreign) or ("all inside" if len(libraries) > 50 else f"only {len(libraries)} libraries")


def environ():
    return " ".join(sorted(f"{k}={v}" for k, v in os.environ.items() if k.startswith("LD_"))) or "none"


ROWS = [
    ssl_row, sqlite, venv, locale_row, zoneinfo_row, iconv, getpwnam, getaddrinfo, ctypes_row, curses_row,
    numpy, scipy, pillow, cryptography, lxml, grpcio, psutil, orjson, pydantic_core, tokenizers, cffi, pyyaml,
    maps, environ,
]

for row in ROWS:
    name = row.__name__.removesuffix("_row")
    try:
        print(f"{name}: {row()}", flush=True)
    except BaseException as e:  # a row must not end the others, whatever it raises
        print(f"{name}: FAIL {type(e).__name__}: {e}", flush=True)

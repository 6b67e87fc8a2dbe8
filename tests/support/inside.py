#!/usr/bin/env python3
"""Makes system calls inside another process, as if its own code did, and prints what came of each: "ok", or the name of
the error. Shows what a process is kept from, whatever keeps it from that. Linux on x86-64, as root.

usage: inside.py PID CALL…     with CALL = open:PATH, write:PATH, run:PATH, socket:FAMILY or signal:PID
"""

import ctypes
import errno
import os
import signal
import sys

ATTACH, DETACH, SINGLESTEP, GETREGS, SETREGS = 16, 17, 9, 12, 13
REGISTERS = (
    "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base gs_base ds es fs gs"
).split()
OPENAT, SOCKET, EXECVE, KILL, CLOSE = 257, 41, 59, 62, 3
AT_FDCWD = (1 << 64) - 100
# Below the stack pointer, and below what the compiler may use there without moving it.
ROOM = 16 * 1024

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


class Registers(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in REGISTERS]


class Process:
    def __init__(self, pid):
        self.pid = pid
        self.trace(ATTACH)
        os.waitpid(pid, 0)
        self.memory = os.open(f"/proc/{pid}/mem", os.O_RDWR)
        self.before = Registers()
        self.trace(GETREGS, self.before)
        self.code = os.pread(self.memory, 2, self.before.rip)
        os.pwrite(self.memory, b"\x0f\x05", self.before.rip)

    def trace(self, request, data=None):
        if libc.ptrace(request, self.pid, None, None if data is None else ctypes.addressof(data)) < 0:
            raise OSError(ctypes.get_errno(), f"ptrace {request}")

    def call(self, number, text, *args):
        place = self.before.rsp - ROOM
        os.pwrite(self.memory, text.encode() + b"\0", place)
        registers = Registers.from_buffer_copy(self.before)
        registers.rax, registers.orig_rax = number, (1 << 64) - 1
        given = [place if arg is text else arg for arg in args]
        for name, value in zip(["rdi", "rsi", "rdx", "r10"], given):
            setattr(registers, name, value)
        self.trace(SETREGS, registers)
        self.trace(SINGLESTEP)
        os.waitpid(self.pid, 0)
        self.trace(GETREGS, registers)
        return ctypes.c_longlong(registers.rax).value

    def leave(self):
        os.pwrite(self.memory, self.code, self.before.rip)
        self.trace(SETREGS, self.before)
        self.trace(DETACH)


def attempt(process, what):
    kind, _, value = what.partition(":")
    if kind == "open":
        result = process.call(OPENAT, value, AT_FDCWD, value, os.O_RDONLY)
    elif kind == "write":
        result = process.call(OPENAT, value, AT_FDCWD, value, os.O_WRONLY | os.O_CREAT, 0o600)
    elif kind == "run":
        result = process.call(EXECVE, value, value, 0, 0)
    elif kind == "socket":
        result = process.call(SOCKET, "", int(value), 1, 0)
    elif kind == "signal":
        result = process.call(KILL, "", int(value), 0)
    else:
        sys.exit(__doc__)
    if result < 0:
        return errno.errorcode[-result]
    if kind in ("open", "write", "socket"):
        process.call(CLOSE, "", result)
    return "ok"


process = Process(int(sys.argv[1]))
try:
    outcomes = [attempt(process, what) for what in sys.argv[2:]]
finally:
    process.leave()
print("\n".join(outcomes))

# A user of a TPM device for what no shell can do: poll(2), interrupted calls, ioctls beside a read.
# Run as: python3 -I -S device.py USE DEVICE, or with WORDS for the program that it starts itself.
# Only modules that are part of python itself, because the guest has no others.
import _signal
import _thread
import fcntl
import posix
import select
import sys

def create_primary(bits):
    """TPM2_CreatePrimary of an RSA key with an empty authorization: takes long."""
    return bytes.fromhex(
        "8002 00000043 00000131 40000001 00000009 40000009 0000 00 0000"
        "0004 0000 0000"
        "001a 0001 000b 00030072 0000 0006 0080 0043 0010 %04x 00000000 0000"
        "0000 00000000" % bits
    )


# TPM2_GetRandom for eight bytes.
GET_RANDOM = bytes.fromhex("8001 0000000c 0000017b 0008")
CANCEL_TPM_CMD = 0x80045008
GET_CONFIG = 0x8008500E
SET_DATAFD = 0x8004500F
TCGETS = 0x5401
VTPM_PROXY_IOC_NEW_DEV = 0xC014A100
EINTR, EIO, EAGAIN, EBUSY, EINVAL = 4, 5, 11, 16, 22


def code(response):
    return int.from_bytes(response[6:10], "big")


def errno_of(action, *arguments):
    try:
        action(*arguments)
        return 0
    except OSError as error:
        return error.errno


def poll(device, timeout):
    poller = select.poll()
    poller.register(device, select.POLLIN)
    return [events for _, events in poller.poll(timeout)]


def sleep_in_poll(device):
    """Somebody sleeps until the response is there; until then a read without waiting is refused."""
    posix.write(device, create_primary(2048))
    print("before", poll(device, 0), errno_of(posix.read, device, 10))
    print("second write", errno_of(posix.write, device, create_primary(2048)))
    print("after", poll(device, 60000) == [select.POLLIN])
    print("code", code(posix.read(device, 4096)))


def interrupt_read(device):
    """A signal ends a read that waits; the response is there for the next one."""

    def alarm(_number, _frame):
        raise InterruptedError

    _signal.signal(_signal.SIGALRM, alarm)
    posix.write(device, create_primary(2048))
    _signal.setitimer(_signal.ITIMER_REAL, 0.05)
    try:
        posix.read(device, 4096)
        print("not interrupted")
    except InterruptedError:
        print("interrupted")
    _signal.setitimer(_signal.ITIMER_REAL, 0)
    print("code", code(posix.read(device, 4096)))


def cancel(device):
    """Another thread cancels the command for whose response this one waits."""
    posix.write(device, create_primary(3072))
    print("configuration", len(fcntl.ioctl(device, GET_CONFIG, bytes(8))))
    answered = _thread.allocate_lock()
    ended = _thread.allocate_lock()
    answered.acquire()
    ended.acquire()
    results = set()

    def canceller():
        # One that comes before the command has begun means nothing to the TPM.
        while not answered.acquire(timeout=0.05):
            result = fcntl.ioctl(device, CANCEL_TPM_CMD, bytes(4))
            results.add(int.from_bytes(result, "little"))
        ended.release()

    _thread.start_new_thread(canceller, ())
    response = posix.read(device, 4096)
    answered.release()
    ended.acquire()
    print("cancel", results)
    print("code", hex(code(response)))


def refusals(device):
    """What no device like this answers."""
    print("second open", errno_of(posix.open, path, posix.O_RDWR) == EBUSY)
    print("terminal ioctl", errno_of(fcntl.ioctl, device, TCGETS, bytes(60)) == EINVAL)
    print("SET_DATAFD", errno_of(fcntl.ioctl, device, SET_DATAFD, bytes(4)) == EINVAL)
    print("read of nothing", posix.read(device, 10))


def talk(words):
    """Does what the lines on standard input say; prints one line with the answer for each."""
    (path,) = words
    opened = -1
    for line in sys.stdin:
        verb, *words = line.split()
        try:
            if verb == "open":
                # Whoever has it open keeps it where another open is refused.
                opened = posix.open(path, posix.O_RDWR)
                print("opened")
            elif verb == "close":
                posix.close(opened)
                print("closed")
            elif verb == "read":
                print(posix.read(opened, int(words[0])).hex())
            elif verb == "write":
                print(posix.write(opened, bytes.fromhex(words[0])))
            elif verb == "zeros":
                print(posix.write(opened, bytes(int(words[0]))))
            elif verb == "ioctl":
                request = int(words[0])
                size = request >> 16 & 0x3FFF
                argument = bytearray(bytes.fromhex("".join(words[1:])).ljust(size, b"\0"))
                fcntl.ioctl(opened, request, argument, True)
                print(argument[: min(size, 16)].hex())
        except OSError as error:
            print("errno", error.errno)


def serve_passed(words):
    """Has the kernel make a device and becomes the program that is given its descriptor."""
    proxy = posix.open("/dev/vtpmx", posix.O_RDWR)
    version = int("--tpm2" in words)
    answer = fcntl.ioctl(proxy, VTPM_PROXY_IOC_NEW_DEV, bytes([version]) + bytes(19))
    number, descriptor = answer[4], answer[8]
    posix.close(proxy)
    posix.write(1, b"/dev/tpm%d\n" % number)
    program = ["swtpm", "chardev", "--fd", str(descriptor)]
    posix.execv("/usr/bin/swtpm", program + words)


def serve_terminal(words):
    """The program behind a character device, which a terminal is; then the other side hangs up."""
    ours, theirs = posix.openpty()
    name = posix.ttyname(theirs)
    posix.system("stty -F %s raw -echo" % name)
    program = ["swtpm", "chardev", "--tpm2", "--chardev", name]
    child = posix.posix_spawn("/usr/bin/swtpm", program + words, {})
    posix.write(ours, GET_RANDOM)
    response = b""
    while len(response) < 20:
        response += posix.read(ours, 4096)
    print("code", code(response), "size", len(response))
    posix.close(theirs)
    posix.close(ours)
    print("status", posix.waitpid(child, 0)[1])


uses = {
    "poll": (sleep_in_poll, posix.O_RDWR | posix.O_NONBLOCK),
    "interrupt": (interrupt_read, posix.O_RDWR),
    "cancel": (cancel, posix.O_RDWR),
    "refusals": (refusals, posix.O_RDWR),
}
others = {"talk": talk, "passed": serve_passed, "terminal": serve_terminal}

word, *rest = sys.argv[1:]
if word in others:
    others[word](rest)
else:
    use, flags = uses[word]
    path = rest[0]
    use(posix.open(path, flags))

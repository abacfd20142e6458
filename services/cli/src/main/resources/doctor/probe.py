# What of the named packages this Python has. Run by `sluice doctor` as: python -c TEXT look|import NAME[=DISTRIBUTION]...
# A line a package: name, version, state (ok, absent, broken, found), what there is to say; fields end with a tab.
# "found" is what is installed and was not imported.
import importlib
import importlib.metadata
import importlib.util
import sys


def say(*fields):
    print("doctor", *(" ".join(str(field).split()) for field in fields), sep="\t", flush=True)


def version_of(name, distributions):
    for distribution in distributions:
        try:
            return importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    module = sys.modules.get(name)
    return getattr(module, "__version__", "")


def there(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:  # of the package around it
        return False


def torch_says():
    import torch

    if not torch.cuda.is_available():
        built = torch.version.cuda
        return "built for CUDA " + built + ", sees no GPU" if built else "built without CUDA"
    capabilities = {torch.cuda.get_device_capability(index) for index in range(torch.cuda.device_count())}
    return "CUDA %s, NCCL %s, %d GPUs of compute capability %s" % (
        torch.version.cuda,
        ".".join(map(str, torch.cuda.nccl.version())),
        torch.cuda.device_count(),
        ", ".join("%d.%d" % capability for capability in sorted(capabilities)),
    )


say("python", sys.version.split()[0], "ok", sys.executable)
for argument in sys.argv[2:]:
    name, _, distributions = argument.partition("=")
    distributions = distributions.split("|") if distributions else [name]
    if not there(name):
        say(name, "", "absent", "")
        continue
    if sys.argv[1] == "look":
        say(name, version_of(name, distributions), "found", "")
        continue
    say(name, version_of(name, distributions), "importing", "")  # what a crash leaves as the last line
    try:
        importlib.import_module(name)
        say(name, version_of(name, distributions), "ok", torch_says() if name == "torch" else "")
    except BaseException as e:
        say(name, version_of(name, distributions), "broken", "%s: %s" % (type(e).__name__, e))

package dev.sluice.cli.doctor;

import static dev.sluice.cli.doctor.Need.GPU_BACKEND;

import dev.sluice.cli.doctor.Finding.Failed;
import dev.sluice.cli.doctor.Finding.NotChecked;
import dev.sluice.cli.doctor.Finding.Ok;
import dev.sluice.cli.doctor.Finding.Warning;
import dev.sluice.cli.doctor.InstalledGpu.Holder;
import dev.sluice.cli.doctor.InstalledGpu.Links;
import dev.sluice.domain.candidate.Gpu;
import dev.sluice.process.VisibleGpus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The driver, the GPUs, their memory and who holds it, and what they say of their own health. */
final class GpuCheck implements Check {
    // A node whose driver hangs answers never; one whose driver is not persistent needs some seconds for 8 GPUs.
    private static final Duration DEADLINE = Duration.ofSeconds(60);
    private static final String FORMAT = "--format=csv,noheader,nounits";
    private static final double IDLE_SHARE = 0.97;

    @Override
    public String doing() {
        return "asking nvidia-smi";
    }

    @Override
    public List<Finding> look(Node node) {
        return switch (smi("--query-gpu=" + InstalledGpu.QUERY, FORMAT)) {
            case Probe.Answer.Absent absent ->
                List.of(failed(
                        "driver",
                        "nvidia-smi is not on PATH: no NVIDIA driver is installed, or the container was started without GPUs",
                        "install the driver (see deploy/gpu/README.md), or start the container with --gpus all"));
            case Probe.Answer.Late late ->
                List.of(failed(
                        "driver",
                        "nvidia-smi did not answer within " + late.deadline().toSeconds() + " s",
                        "look for Xid lines in dmesg; a driver that hangs needs a reboot of the node"));
            case Probe.Answer.Ended ended
            when !ended.clean() ->
                List.of(failed(
                        "driver",
                        "nvidia-smi failed: " + ended.lastLine(),
                        "the driver and its library must be of one version: reboot after an upgrade"));
            case Probe.Answer.Ended ended -> read(node, ended.output());
        };
    }

    private static List<Finding> read(Node node, String csv) {
        List<InstalledGpu> gpus;
        try {
            gpus = InstalledGpu.read(csv);
        } catch (IllegalArgumentException e) {
            return List.of(failed("driver", String.valueOf(e.getMessage()), "install driver 550 or newer"));
        }
        if (gpus.isEmpty()) {
            return List.of(failed(
                    "GPUs",
                    "nvidia-smi lists none",
                    "start the container with --gpus all, or look at lspci and dmesg"));
        }
        Optional<List<String>> names = VisibleGpus.names();
        List<InstalledGpu> visible =
                names.map(given -> InstalledGpu.visible(gpus, given)).orElse(gpus);
        if (visible.isEmpty()) {
            return List.of(failed(
                    "GPUs",
                    "%s=%s shows none of the %d"
                            .formatted(
                                    VisibleGpus.ENVIRONMENT_NAME, String.join(",", names.orElseThrow()), gpus.size()),
                    "correct it, or unset it to use all"));
        }
        Links links = smi("topo", "-m") instanceof Probe.Answer.Ended ended && ended.clean()
                ? Links.read(ended.output())
                : null;
        node.has(visible, links);
        List<Holder> holders =
                smi("--query-compute-apps=" + Holder.QUERY, FORMAT) instanceof Probe.Answer.Ended apps && apps.clean()
                        ? Holder.read(apps.output())
                        : List.of();
        List<Finding> findings = new ArrayList<>();
        findings.add(driver(visible));
        findings.addAll(judge(node, visible, holders));
        findings.add(xid());
        return findings;
    }

    private static Finding driver(List<InstalledGpu> gpus) {
        String cuda = smi("--version") instanceof Probe.Answer.Ended ended && ended.clean()
                ? ended.output()
                        .lines()
                        .filter(line -> line.startsWith("CUDA"))
                        .map(line -> ", CUDA up to " + line.replaceFirst("[^:]*:\\s*", ""))
                        .findFirst()
                        .orElse("")
                : "";
        return new Ok("driver", GPU_BACKEND, gpus.getFirst().driver() + cuda);
    }

    /** What can be said of GPUs by their figures alone. */
    static List<Finding> judge(Node node, List<InstalledGpu> gpus, List<Holder> holders) {
        return List.of(count(node, gpus), memory(node, gpus, holders), health(gpus));
    }

    private static Finding count(Node node, List<InstalledGpu> gpus) {
        String names = gpus.stream()
                .collect(Collectors.groupingBy(InstalledGpu::name, TreeMap::new, Collectors.counting()))
                .entrySet()
                .stream()
                .map(name -> name.getValue() + " x " + name.getKey())
                .collect(Collectors.joining(", "));
        List<String> mig = gpus.stream()
                .filter(InstalledGpu::mig)
                .map(gpu -> "GPU " + gpu.index())
                .toList();
        if (!mig.isEmpty()) {
            return failed(
                    "GPUs",
                    names + "; MIG is on for " + String.join(", ", mig) + ", and NCCL cannot join parts of GPUs",
                    "switch MIG off: nvidia-smi -mig 0");
        }
        if (node.job().isEmpty()) {
            return new Ok("GPUs", GPU_BACKEND, names);
        }
        Node.Job job = node.job().get();
        if (gpus.size() < job.gpusPerNode()) {
            return failed(
                    "GPUs",
                    names + "; the plan wants " + job.gpusPerNode() + " of a node",
                    "set cluster.gpusPerNode to " + gpus.size() + " and let the layout be planned anew");
        }
        String wanted = job.request().cluster().gpu();
        boolean others = wanted != null
                && gpus.stream()
                        .anyMatch(
                                gpu -> !gpu.planned().map(Gpu::label).orElse("").equalsIgnoreCase(wanted));
        return others
                ? new Warning(
                        "GPUs",
                        GPU_BACKEND,
                        names + "; the plan is made for " + wanted,
                        "set cluster.gpu to what is here (" + String.join(", ", Gpu.labels()) + ")")
                : new Ok("GPUs", GPU_BACKEND, names);
    }

    private static Finding memory(Node node, List<InstalledGpu> gpus, List<Holder> holders) {
        InstalledGpu fullest = gpus.stream()
                .min(Comparator.comparingDouble(InstalledGpu::freeGiB))
                .orElseThrow();
        String free = "%.1f of %.1f GiB free on the fullest (GPU %d)"
                .formatted(fullest.freeGiB(), fullest.totalGiB(), fullest.index());
        String who = holders.isEmpty() ? "" : "; held by " + named(gpus, holders);
        double needed =
                node.job().map(job -> job.plan().training().memory().gpuGiB()).orElse(0.0);
        if (needed > fullest.freeGiB()) {
            return failed(
                    "GPU memory",
                    free + who + "; the plan needs " + String.format(Locale.ROOT, "%.1f GiB", needed),
                    "end those processes, or plan for less: training.layout.tokensPerGpu");
        }
        return fullest.freeMib() < IDLE_SHARE * fullest.totalMib()
                ? new Warning(
                        "GPU memory",
                        GPU_BACKEND,
                        free + (who.isEmpty() ? "; no process is shown, so another container holds it" : who),
                        "end what does not belong to the run: plans count on empty GPUs")
                : new Ok("GPU memory", GPU_BACKEND, free);
    }

    private static String named(List<InstalledGpu> gpus, List<Holder> holders) {
        return holders.stream()
                .map(holder -> "%s (pid %d, %s, GPU %s)"
                        .formatted(
                                holder.program(),
                                holder.pid(),
                                holder.usedMib() < 0 ? "of unknown size" : holder.usedMib() + " MiB",
                                gpus.stream()
                                        .filter(gpu -> gpu.uuid().equals(holder.gpuUuid()))
                                        .map(gpu -> Integer.toString(gpu.index()))
                                        .findFirst()
                                        .orElse("?")))
                .collect(Collectors.joining(", "));
    }

    private static Finding health(List<InstalledGpu> gpus) {
        List<String> broken = gpus.stream()
                .filter(InstalledGpu::remappingFailed)
                .map(gpu -> "GPU " + gpu.index() + ": a memory row could not be remapped")
                .toList();
        if (!broken.isEmpty()) {
            return failed(
                    "GPU errors", String.join("; ", broken), "have the card replaced; take the node out until then");
        }
        List<String> odd = new ArrayList<>();
        for (InstalledGpu gpu : gpus) {
            if (gpu.uncorrectedErrors() > 0) {
                odd.add("GPU %d: %d uncorrected ECC errors since the driver was loaded"
                        .formatted(gpu.index(), gpu.uncorrectedErrors()));
            }
            if (gpu.pending()) {
                odd.add("GPU " + gpu.index() + ": memory waits to be remapped");
            }
        }
        if (!odd.isEmpty()) {
            return new Warning(
                    "GPU errors",
                    GPU_BACKEND,
                    String.join("; ", odd),
                    "reset those GPUs, or reboot, before a long run");
        }
        boolean silent = gpus.stream().allMatch(gpu -> gpu.uncorrectedErrors() < 0);
        return silent
                ? new NotChecked("GPU errors", GPU_BACKEND, "these GPUs tell nothing of ECC errors")
                : new Ok("GPU errors", GPU_BACKEND, "no uncorrected ECC error, nothing waits for a reset");
    }

    private static Finding xid() {
        if (!(Probe.ask(List.of("dmesg"), DEADLINE) instanceof Probe.Answer.Ended ended) || !ended.clean()) {
            return new NotChecked(
                    "Xid", GPU_BACKEND, "the kernel's log may not be read here; run dmesg | grep Xid as root");
        }
        List<String> lines = ended.output()
                .lines()
                .filter(line -> line.contains("NVRM: Xid"))
                .toList();
        return lines.isEmpty()
                ? new Ok("Xid", GPU_BACKEND, "none in the kernel's log")
                : new Warning(
                        "Xid",
                        GPU_BACKEND,
                        "%d in the kernel's log, the last: %s"
                                .formatted(lines.size(), lines.getLast().strip()),
                        "look the number up in NVIDIA's list of Xid errors; 48, 63, 74, 79, 94 and 95 are the hardware's");
    }

    private static Finding failed(String subject, String found, String mend) {
        return new Failed(subject, GPU_BACKEND, found, mend);
    }

    private static Probe.Answer smi(String... arguments) {
        List<String> command = new ArrayList<>(List.of("nvidia-smi"));
        command.addAll(List.of(arguments));
        return Probe.ask(command, DEADLINE);
    }
}

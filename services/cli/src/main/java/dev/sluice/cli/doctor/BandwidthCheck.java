package dev.sluice.cli.doctor;

import static dev.sluice.cli.doctor.Need.GPU_BACKEND;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.cli.doctor.Finding.Failed;
import dev.sluice.cli.doctor.Finding.NotChecked;
import dev.sluice.cli.doctor.Finding.Ok;
import dev.sluice.cli.doctor.Finding.Warning;
import dev.sluice.domain.candidate.Gpu;
import dev.sluice.http.Json;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** How fast GPUs sum together, by the worker's own program, beside the data sheet of their link. */
final class BandwidthCheck implements Check {
    private static final Duration DEADLINE = Duration.ofMinutes(3);
    private static final String SUBJECT = "NCCL";
    private static final String MARK = "bandwidth ";
    private static final double SLOW_SHARE = 0.5;
    // The program's own words or the last line of a traceback of Python, not torchrun's of its own.
    private static final Pattern REASON =
            Pattern.compile("(\\[rank\\d+]:\\s*)?(error|[\\w.]+(Error|Exception)): .+|.*: No module named .+");
    // 10^9 bytes a second of a lane each way, by PCIe's generations; 128b/130b is taken off.
    private static final double[] PCIE_LANE = {0, 0.25, 0.5, 0.985, 1.969, 3.938, 7.563};

    @Override
    public String doing() {
        return "measuring NCCL's bandwidth";
    }

    @Override
    public List<Finding> look(Node node) {
        Node.Place place = node.order().place();
        Optional<String> reason = skipped(node);
        if (reason.isPresent()) {
            return List.of(new NotChecked(SUBJECT, GPU_BACKEND, reason.get()));
        }
        Probe.Answer answer = Probe.ask(line(node, place), DEADLINE);
        List<Finding> findings = new ArrayList<>(List.of(judge(node, answer)));
        if (place.nodes() == 1) {
            findings.add(
                    new NotChecked(
                            "NCCL over nodes",
                            GPU_BACKEND,
                            "this node alone was measured; for several run this on each at once with --nodes N --node-rank R --master HOST:PORT"));
        }
        return findings;
    }

    private static Optional<String> skipped(Node node) {
        if (node.gpus().isEmpty()) {
            return Optional.of("no GPU was found");
        }
        if (node.order().quick()) {
            return Optional.of("left out by --quick");
        }
        if (node.gpus().size() == 1 && node.order().place().nodes() == 1) {
            return Optional.of("one GPU has nobody to talk to");
        }
        return PythonProgram.of(node.order().worker()).isEmpty()
                ? Optional.of("the worker's Python cannot be told; give --worker \"PYTHON ...\"")
                : Optional.empty();
    }

    private static List<String> line(Node node, Node.Place place) {
        String python = PythonProgram.of(node.order().worker()).orElseThrow();
        List<String> line = new ArrayList<>(List.of(python, "-m", "torch.distributed.run"));
        line.addAll(List.of("--nproc-per-node", Integer.toString(node.gpus().size())));
        String master = place.master();
        if (master == null) {
            line.add("--standalone");
        } else {
            int colon = master.lastIndexOf(':');
            line.addAll(List.of("--nnodes", Integer.toString(place.nodes())));
            line.addAll(List.of("--node-rank", Integer.toString(place.rank())));
            line.addAll(List.of("--master-addr", master.substring(0, colon)));
            line.addAll(List.of("--master-port", master.substring(colon + 1)));
        }
        line.addAll(List.of("-m", "sluice_megatron.bandwidth"));
        return line;
    }

    static Finding judge(Node node, Probe.Answer answer) {
        return switch (answer) {
            case Probe.Answer.Absent absent ->
                new Failed(SUBJECT, GPU_BACKEND, absent.why(), "name the worker's Python by --worker");
            case Probe.Answer.Late late ->
                new Failed(
                        SUBJECT,
                        GPU_BACKEND,
                        "the ranks did not finish within " + late.deadline().toSeconds() + " s",
                        "run it with NCCL_DEBUG=INFO; set NCCL_SOCKET_IFNAME where the wrong interface is taken, and look at dmesg");
            case Probe.Answer.Ended ended
            when ended.clean() && place(node).rank() > 0 ->
                new Ok(SUBJECT, GPU_BACKEND, "took part; node 0 tells the figures");
            case Probe.Answer.Ended ended -> figures(node, ended);
        };
    }

    private static Finding figures(Node node, Probe.Answer.Ended ended) {
        JsonNode report = report(ended.output());
        if (!ended.clean() || report == null) {
            return new Failed(
                    SUBJECT,
                    GPU_BACKEND,
                    "the measuring program failed: " + reason(ended),
                    "pip install services/megatron-worker into the worker's Python; then look with NCCL_DEBUG=INFO");
        }
        JsonNode last = report.path("rows").path(report.path("rows").size() - 1);
        double measured = last.path("busGBps").asDouble();
        String found = "%.0f GB/s bus bandwidth over %d GPUs (%d MiB summed in %.2f ms, NCCL %s)"
                .formatted(
                        measured,
                        report.path("ranks").asInt(),
                        last.path("bytes").asLong() >> 20,
                        1000 * last.path("seconds").asDouble(),
                        report.path("nccl").asText());
        if (place(node).nodes() > 1) {
            return new Ok(
                    SUBJECT, GPU_BACKEND, found + "; what the network between nodes should give is not known here");
        }
        Link link = link(node);
        if (link == null) {
            return new Ok(SUBJECT, GPU_BACKEND, found + "; what their link should give is not known here");
        }
        String beside = "%s; %s gives %.0f each way".formatted(found, link.name(), link.gigabytesPerSecond());
        return measured < SLOW_SHARE * link.gigabytesPerSecond()
                ? new Warning(
                        SUBJECT,
                        GPU_BACKEND,
                        beside,
                        "look at nvidia-smi topo -m and nvlink -s, at the fabric manager's log, and at who else uses the GPUs")
                : new Ok(SUBJECT, GPU_BACKEND, beside);
    }

    private static Node.Place place(Node node) {
        return node.order().place();
    }

    /** What joins the GPUs, 10^9 bytes a second each way. */
    private record Link(String name, double gigabytesPerSecond) {}

    private static @Nullable Link link(Node node) {
        InstalledGpu gpu = node.gpus().getFirst();
        InstalledGpu.Links links = node.links();
        if (links == null) {
            return null;
        }
        if (links.nvlink()) {
            return gpu.planned()
                    .map(Gpu::linkGigabytesPerSecond)
                    .map(speed -> new Link(links.text() + " of " + gpu.name(), speed))
                    .orElse(null);
        }
        int generation = gpu.pcieGeneration();
        return generation < 1 || generation >= PCIE_LANE.length || gpu.pcieLanes() < 1
                ? null
                : new Link(
                        "PCIe %d x%d (%s)".formatted(generation, gpu.pcieLanes(), links.text()),
                        PCIE_LANE[generation] * gpu.pcieLanes());
    }

    private static String reason(Probe.Answer.Ended ended) {
        return ended.output()
                .lines()
                .map(String::strip)
                .filter(line -> REASON.matcher(line).matches())
                .findFirst()
                .orElse(ended.lastLine().strip());
    }

    private static @Nullable JsonNode report(String output) {
        return output.lines()
                .filter(line -> line.startsWith(MARK))
                .findFirst()
                .map(line -> {
                    try {
                        return Json.MAPPER.readTree(line.substring(MARK.length()));
                    } catch (JsonProcessingException e) {
                        return null;
                    }
                })
                .orElse(null);
    }
}

package dev.sluice.cli.doctor;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.cli.ExitCode;
import dev.sluice.cli.Terminal;
import dev.sluice.cli.Wrapped;
import dev.sluice.events.Backend;
import dev.sluice.http.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Runs the checks of a node one after another, and says what it is good for. */
public final class Doctor {
    private static final String MEND = "            mend: ";

    private final Terminal terminal;

    public Doctor(Terminal terminal) {
        this.terminal = terminal;
    }

    /** GPUs first: what comes after asks for them. */
    private static List<Check> all() {
        return List.of(
                new GpuCheck(),
                PythonCheck.ofEngine(),
                PythonCheck.ofWorker(),
                new BandwidthCheck(),
                new MachineCheck(),
                new LimitsCheck(),
                new SharedFolderCheck(),
                new DiskCheck(),
                new InputsCheck(),
                new PortsCheck(),
                new BrokerCheck());
    }

    /** Returns the exit code. */
    int examine(Node.Order order) {
        return examine(new Node(order), all());
    }

    int examine(Node node, List<Check> checks) {
        List<Finding> findings = new ArrayList<>();
        for (Check check : checks) {
            if (terminal.json() || terminal.interactive()) {
                terminal.progress(check.doing() + "...");
            }
            for (Finding finding : check.look(node)) {
                findings.add(finding);
                if (!terminal.json()) {
                    show(shown(node, finding));
                }
            }
        }
        boolean failed = findings.stream().map(one -> shown(node, one)).anyMatch(Finding.Failed.class::isInstance);
        if (terminal.json()) {
            terminal.result(document(node, findings).toPrettyString());
        } else {
            sum(node, findings)
                    .forEach(line -> Wrapped.lines(line, terminal.columns()).forEach(terminal::result));
        }
        return failed ? ExitCode.FAILED : ExitCode.OK;
    }

    /** A finding as it counts for the backend that the node is to run. */
    private static Finding shown(Node node, Finding finding) {
        return finding.need() == Need.GPU_BACKEND && !node.gpuBackend() ? finding.whereNotNeeded() : finding;
    }

    private void show(Finding finding) {
        String label = "%-11s %-25s ".formatted(finding.outcome(), finding.subject());
        Wrapped.after(label, finding.found(), terminal.columns()).forEach(terminal::say);
        if (!finding.mending().isEmpty()) {
            Wrapped.after(MEND, finding.mending(), terminal.columns()).forEach(terminal::say);
        }
    }

    private static List<String> sum(Node node, List<Finding> findings) {
        List<String> lines = new ArrayList<>();
        lines.add("");
        judged(node).forEach(backend -> lines.add(verdict(node, backend, missing(findings, backend))));
        long warnings = count(node, findings, "warning");
        long unseen = count(node, findings, "not checked");
        lines.add("%d ok, %d warnings, %d failed, %d not checked; judged for backend: %s"
                .formatted(
                        count(node, findings, "ok"),
                        warnings,
                        count(node, findings, "failed"),
                        unseen,
                        word(node.order().backend())));
        return lines;
    }

    /** Room and memory were looked for as a request's backend needs them, so nothing is known of the other one then. */
    private static List<Backend> judged(Node node) {
        return node.job().map(job -> List.of(job.plan().backend())).orElse(List.of(Backend.values()));
    }

    private static String verdict(Node node, Backend backend, List<String> missing) {
        String what = node.job()
                .map(job -> "the request (backend: %s)".formatted(word(backend)))
                .orElse("backend: " + word(backend));
        return missing.isEmpty()
                ? what + " works on this node"
                : what + " does not work on this node; see " + String.join(", ", missing);
    }

    /** Subjects that this backend cannot do without and that are not as they should be. */
    private static List<String> missing(List<Finding> findings, Backend backend) {
        return findings.stream()
                .filter(Finding.Failed.class::isInstance)
                .filter(finding -> backend == Backend.GPU || finding.need() == Need.EVERY_BACKEND)
                .map(Finding::subject)
                .collect(Collectors.toList());
    }

    private static ObjectNode document(Node node, List<Finding> findings) {
        ObjectNode document = Json.MAPPER.createObjectNode();
        document.put("host", SharedFolderCheck.hostName())
                .put("backend", word(node.order().backend()));
        for (String outcome : List.of("ok", "warning", "failed", "not checked")) {
            document.put(outcome.equals("not checked") ? "notChecked" : outcome, count(node, findings, outcome));
        }
        ObjectNode backends = document.putObject("backends");
        for (Backend backend : judged(node)) {
            List<String> missing = missing(findings, backend);
            ArrayNode names = backends.putObject(word(backend))
                    .put("works", missing.isEmpty())
                    .putArray("missing");
            missing.forEach(names::add);
        }
        ArrayNode checks = document.putArray("checks");
        for (Finding finding : findings) {
            Finding shown = shown(node, finding);
            ObjectNode check = checks.addObject()
                    .put("subject", shown.subject())
                    .put("outcome", shown.outcome())
                    .put("neededFor", shown.need() == Need.GPU_BACKEND ? "gpu" : "every backend")
                    .put("found", shown.found());
            if (!shown.mending().isEmpty()) {
                check.put("mend", shown.mending());
            }
        }
        return document;
    }

    private static long count(Node node, List<Finding> findings, String outcome) {
        return findings.stream()
                .map(finding -> shown(node, finding))
                .filter(finding -> finding.outcome().equals(outcome))
                .count();
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}

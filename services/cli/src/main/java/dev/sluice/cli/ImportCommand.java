package dev.sluice.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.cli.plan.Planned;
import dev.sluice.cli.plan.RequestPlan;
import dev.sluice.cli.run.RequestFile;
import dev.sluice.domain.candidate.Gpu;
import dev.sluice.domain.slime.ImportSettings;
import dev.sluice.domain.slime.Imported;
import dev.sluice.domain.slime.ScriptImport;
import dev.sluice.events.EventJson;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "import",
        description = "Make a request of a slime launch script, and plan it. The script is read; nothing in it is run.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:the request is feasible", "2:the script or its plan is not right; every problem is listed"})
final class ImportCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Parameters(paramLabel = "SCRIPT", description = "A launch script, such as scripts/run-qwen3-4B.sh.")
    private Path script = Path.of("");

    @Option(
            names = {"-o", "--output"},
            paramLabel = "REQUEST",
            description = "Where to write the request (default: stdout).")
    private @Nullable Path target;

    @Option(names = "--force", description = "Replace the file that --output names.")
    private boolean force;

    @Option(
            names = "--gpu",
            paramLabel = "GPU",
            description = "The GPUs, which a script does not name (default: H100-80).")
    private @Nullable String gpu;

    @Option(names = "--host-memory", paramLabel = "GIB", description = "Memory of a node's host.")
    private int hostMemoryGiB;

    @Option(
            names = "--trainer",
            description = "The program that trains, such as slime@2026-08-21 (default: Sluice's own).")
    private @Nullable String trainer;

    @Option(
            names = "--model",
            paramLabel = "DIRECTORY",
            description = "Where the model's config.json lies on this machine, if not where the script says.")
    private @Nullable Path model;

    @Option(names = "--no-plan", description = "Only make the request.")
    private boolean withoutPlan;

    @Option(
            names = "--env",
            paramLabel = "NAME=VALUE",
            description =
                    "A variable that the script takes from its environment, such as BASE_DIR=/data; may be repeated.")
    private List<String> environment = new ArrayList<>();

    ImportCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        output.applyTo(terminal);
        ImportSettings settings = settings();
        if (target != null && Files.exists(target) && !force) {
            throw CommandFailure.usage(target + " exists; give --force to replace it, or another --output");
        }
        ScriptFile file = ScriptFile.at(script);
        Imported imported = ScriptImport.read(file.script(), settings, file::source);
        ImportFindings findings = new ImportFindings(imported.findings());
        if (!imported.failed() && target != null) {
            RequestFile.write(target, imported.request());
        }
        Planned planned = imported.failed() || withoutPlan ? null : RequestPlan.of(imported, model);
        if (terminal.json()) {
            terminal.result(json(imported, findings, planned).toPrettyString());
        } else {
            findings.show(terminal);
        }
        if (imported.failed()) {
            terminal.error("%s is no request yet (%s); nothing was written".formatted(script, findings.count()));
            return ExitCode.USAGE;
        }
        if (!terminal.json()) {
            succeeded(imported, findings, planned);
        }
        return planned == null ? ExitCode.OK : planned.exitCode();
    }

    /** Without a target the request itself is the result, and its plan is said beside it. */
    private void succeeded(Imported imported, ImportFindings findings, @Nullable Planned planned) {
        if (target == null) {
            terminal.result(RequestFile.yaml(imported.request()).stripTrailing());
        } else {
            String count = findings.count().isEmpty() ? "" : " with " + findings.count();
            terminal.result("%s is written%s".formatted(target, count));
        }
        if (planned == null) {
            return;
        }
        if (target != null) {
            planned.show(terminal, false);
        } else if (planned.exitCode() != ExitCode.OK) {
            terminal.error("the request cannot run as it is:");
            planned.problems().forEach(terminal::remark);
        }
    }

    private ObjectNode json(Imported imported, ImportFindings findings, @Nullable Planned planned) {
        ObjectNode json = EventJson.mapper().createObjectNode();
        json.put("script", script.toString());
        json.put("written", target == null || imported.failed() ? null : target.toString());
        json.set("request", imported.failed() ? null : imported.request());
        json.set("findings", findings.json());
        json.set("plan", planned == null ? null : planned.document());
        return json;
    }

    private ImportSettings settings() {
        if (gpu != null && Gpu.named(gpu).isEmpty()) {
            throw CommandFailure.usage("no GPU is called %s%s; give one of %s"
                    .formatted(gpu, Gpu.didYouMean(gpu), String.join(", ", Gpu.labels())));
        }
        if (hostMemoryGiB < 0) {
            throw CommandFailure.usage("--host-memory is %d; give GiB, or leave it out".formatted(hostMemoryGiB));
        }
        Map<String, String> variables = new LinkedHashMap<>();
        for (String assignment : environment) {
            if (!assignment.matches("(?s)[A-Za-z_][A-Za-z0-9_]*=.*")) {
                throw CommandFailure.usage(
                        "--env takes NAME=VALUE, such as BASE_DIR=/data, not \"" + assignment + "\"");
            }
            int equals = assignment.indexOf('=');
            variables.put(assignment.substring(0, equals), assignment.substring(equals + 1));
        }
        String label = gpu == null ? null : Gpu.named(gpu).orElseThrow().label();
        // Where a request's relative paths begin: at its file.
        Path base = target == null ? Path.of("") : target.toAbsolutePath().getParent();
        return new ImportSettings(label, hostMemoryGiB, trainer, variables, path -> PromptCount.of(base, path));
    }
}

package dev.sluice.cli.doctor;

import static dev.sluice.cli.doctor.Need.GPU_BACKEND;

import dev.sluice.cli.doctor.Finding.Failed;
import dev.sluice.cli.doctor.Finding.NotChecked;
import dev.sluice.cli.doctor.Finding.Ok;
import dev.sluice.cli.doctor.Finding.Warning;
import dev.sluice.events.Plan;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * What the Python of an engine or of a worker has. Packages are imported and not only looked up: most that fail do because
 * they were compiled for another torch.
 */
final class PythonCheck implements Check {
    // A cold disk gives torch and SGLang to the first import at some MB/s.
    private static final Duration IMPORT_DEADLINE = Duration.ofMinutes(4);
    private static final Duration LOOK_DEADLINE = Duration.ofSeconds(60);

    private static final String ABSENT = "not installed";

    private final String side;
    private final String option;
    private final Function<Node.Order, List<String>> command;
    private final List<PythonPackage> packages;
    private final int oldest;

    private PythonCheck(
            String side,
            String option,
            Function<Node.Order, List<String>> command,
            List<PythonPackage> packages,
            int oldest) {
        this.side = side;
        this.option = option;
        this.command = command;
        this.packages = packages;
        this.oldest = oldest; // minor version of Python 3
    }

    static PythonCheck ofEngine() {
        return new PythonCheck("engine", "--engine", Node.Order::engine, PythonPackage.OF_ENGINE, 10);
    }

    static PythonCheck ofWorker() {
        return new PythonCheck("worker", "--worker", Node.Order::worker, PythonPackage.OF_WORKER, 12);
    }

    @Override
    public String doing() {
        return "importing what the " + side + " needs; the first time may take minutes";
    }

    @Override
    public List<Finding> look(Node node) {
        List<String> program = command.apply(node.order());
        Optional<Plan> plan = node.job().map(Node.Job::plan);
        Optional<String> python = PythonProgram.of(program);
        if (python.isEmpty()) {
            return List.of(new NotChecked(
                    side,
                    GPU_BACKEND,
                    "%s is a program whose Python cannot be told; give %s \"PYTHON ...\" to have its packages looked at"
                            .formatted(program.getFirst(), option)));
        }
        // Without a GPU most of these do not import, and what is installed is all that can be said.
        boolean looks = node.order().quick() || node.gpus().isEmpty();
        return switch (Probe.ask(line(python.get(), looks), looks ? LOOK_DEADLINE : IMPORT_DEADLINE)) {
            case Probe.Answer.Absent absent ->
                List.of(failed(
                        side + " python",
                        python.get() + " is not on this machine",
                        "install Python 3.12, or name the one to use by " + option));
            case Probe.Answer.Late late ->
                judge(late.output(), "it took longer than " + late.deadline().toSeconds() + " s", plan);
            case Probe.Answer.Ended ended -> judge(ended.output(), "Python ended with " + ended.lastLine(), plan);
        };
    }

    private List<String> line(String python, boolean looks) {
        List<String> line = new ArrayList<>(List.of(python, "-c", probe(), looks ? "look" : "import"));
        packages.forEach(one -> line.add(one.argument()));
        return line;
    }

    private static String probe() {
        try (InputStream text = PythonCheck.class.getResourceAsStream("/doctor/probe.py")) {
            if (text == null) {
                throw new IllegalStateException("doctor/probe.py is not on the class path");
            }
            return new String(text.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException("doctor/probe.py cannot be read", e);
        }
    }

    /** A line of the probe. */
    private record Said(String version, String state, String detail) {}

    /** @param end how Python ended, for packages that it came to no word about */
    List<Finding> judge(String output, String end, Optional<Plan> plan) {
        Map<String, Said> said = new LinkedHashMap<>();
        output.lines().filter(line -> line.startsWith("doctor\t")).forEach(line -> {
            String[] fields = line.split("\t", -1);
            if (fields.length == 5) {
                said.put(fields[1], new Said(fields[2], fields[3], fields[4]));
            }
        });
        Said python = said.get("python");
        if (python == null) {
            return List.of(failed(side + " python", end, "repair that Python, or name another by " + option));
        }
        List<Finding> findings = new ArrayList<>();
        findings.add(python(python));
        for (PythonPackage one : packages) {
            findings.add(judge(one, said.getOrDefault(one.module(), new Said("", "silent", "")), end, plan));
        }
        return findings;
    }

    private Finding python(Said python) {
        String found = python.version() + ", " + python.detail();
        return oldest > minor(python.version())
                ? failed(
                        side + " python",
                        found,
                        "install Python 3.%d or newer, and name it by %s".formatted(oldest, option))
                : new Ok(side + " python", GPU_BACKEND, found);
    }

    private static int minor(String version) {
        return version.matches("3\\.\\d{1,4}(\\D.*)?") ? Integer.parseInt(version.split("\\D")[1]) : 0;
    }

    private Finding judge(PythonPackage one, Said said, String end, Optional<Plan> plan) {
        String subject = side + " " + one.module().replaceFirst("\\.pytorch$", "");
        return switch (said.state()) {
            case "ok", "found" -> present(one, subject, said);
            case "absent" -> lacking(one, subject, ABSENT, plan);
            case "broken" ->
                lacking(
                        one,
                        subject,
                        "%s does not import: %s"
                                .formatted(said.version(), said.detail())
                                .strip(),
                        plan);
            case "importing" ->
                lacking(
                        one,
                        subject,
                        "%s takes Python down when it is imported: %s"
                                .formatted(said.version(), end)
                                .strip(),
                        plan);
            default -> new NotChecked(subject, GPU_BACKEND, "an import before it took Python down");
        };
    }

    private static Finding present(PythonPackage one, String subject, Said said) {
        String found = said.version().isEmpty() ? "of unknown version" : said.version();
        String detail = (said.detail().isEmpty() ? "" : ", " + said.detail())
                + (said.state().equals("found") ? ", not imported" : "");
        if (said.detail().contains("sees no GPU") || said.detail().contains("without CUDA")) {
            return failed(
                    subject,
                    found + detail,
                    "install a torch for the driver's CUDA, or a driver for torch's (newer is fine)");
        }
        return one.measured(said.version())
                ? new Ok(subject, GPU_BACKEND, found + detail)
                : new Warning(
                        subject,
                        GPU_BACKEND,
                        found + detail + "; Sluice was measured with " + one.version(),
                        one.install());
    }

    private static Finding lacking(PythonPackage one, String subject, String found, Optional<Plan> plan) {
        return switch (one.role()) {
            case PythonPackage.Role.Required required -> failed(subject, found, one.install());
            case PythonPackage.Role.Optional role
            when plan.filter(role.asks()).isPresent() ->
                failed(subject, found + "; the plan uses it for " + role.purpose(), one.install());
            case PythonPackage.Role.Optional role
            when role.missed() || !found.equals(ABSENT) ->
                new Warning(subject, GPU_BACKEND, found + "; it is for " + role.purpose(), one.install());
            case PythonPackage.Role.Optional role ->
                new Ok(subject, GPU_BACKEND, found + ", and not needed: it is for " + role.purpose());
        };
    }

    private static Finding failed(String subject, String found, String mend) {
        return new Failed(subject, GPU_BACKEND, found, mend);
    }
}

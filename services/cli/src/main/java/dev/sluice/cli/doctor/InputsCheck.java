package dev.sluice.cli.doctor;

import static dev.sluice.cli.doctor.Need.EVERY_BACKEND;

import dev.sluice.cli.doctor.Finding.Failed;
import dev.sluice.cli.doctor.Finding.Ok;
import dev.sluice.events.TrainingRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Whether the model and the prompts of a request are on this node: a plan can be made without them, a run not. */
final class InputsCheck implements Check {
    @Override
    public String doing() {
        return "looking for the model and the prompts";
    }

    @Override
    public List<Finding> look(Node node) {
        return node.job().map(job -> inputs(job.request())).orElse(List.of());
    }

    private static List<Finding> inputs(TrainingRequest request) {
        List<String> missing = new ArrayList<>();
        Path model = Path.of(request.model().path());
        if (!Files.isReadable(model.resolve("config.json"))) {
            missing.add(model + "/config.json");
        }
        Stream.concat(
                        Stream.of(request.data().prompts()),
                        request.evaluation().stream().map(TrainingRequest.Evaluation::prompts))
                .distinct()
                .filter(file -> !Files.isReadable(Path.of(file)))
                .forEach(missing::add);
        return List.of(
                missing.isEmpty()
                        ? new Ok("inputs", EVERY_BACKEND, "model and prompts are readable")
                        : new Failed(
                                "inputs",
                                EVERY_BACKEND,
                                "not readable here: " + String.join(", ", missing),
                                "mount or download them under these paths, on every node alike"));
    }
}

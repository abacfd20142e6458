package dev.sluice.domain.request;

import dev.sluice.domain.data.RowProblem;
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.request.RequestRule.Findings;
import dev.sluice.events.Backend;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.TrainingRequest.BadRows;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Rules about what a request points at: the model, the prompt files, the machines. */
final class WorldRules {
    static final List<RequestRule> ALL = List.of(
            new RequestRule("model.checkpoint", "the model's directory is complete and known", WorldRules::checkpoint),
            new RequestRule("model.cpu", "the cpu backend computes the model", WorldRules::cpuModel),
            new RequestRule("data.prompts", "every row of every prompt file can be used", WorldRules::promptFiles),
            new RequestRule("data.few-prompts", "a step does not repeat prompts", WorldRules::fewPrompts),
            new RequestRule("backend.instances", "gpu runs need instances with GPUs", WorldRules::instances));

    private WorldRules() {}

    private static void checkpoint(TrainingRequest request, Facts facts, Findings findings) {
        for (String problem : facts.model().problems()) {
            findings.error("model.path", problem, "give the directory of a complete Hugging Face checkpoint");
        }
        note(facts.model(), "model.path", findings);
        Facts.Model copy = facts.rolloutModel();
        if (copy != null) {
            for (String problem : copy.problems()) {
                findings.hindrance(
                        "model.rolloutPath", problem, "give the directory that engines start from, or leave it out");
            }
            note(copy, "model.rolloutPath", findings);
        }
    }

    private static void note(Facts.Model model, String path, Findings findings) {
        if (model.note() != null) {
            findings.warning(path, model.note(), "plan again where the directory is");
        }
    }

    private static void cpuModel(TrainingRequest request, Facts facts, Findings findings) {
        ModelSpec model = facts.model().spec();
        if (request.backend() == Backend.CPU && model != null) {
            for (String problem : CpuModel.problems(model)) {
                findings.error(
                        "model.path",
                        problem,
                        "give a checkpoint that the cpu backend computes, or set backend to gpu");
            }
        }
    }

    private static void promptFiles(TrainingRequest request, Facts facts, Findings findings) {
        Map<String, String> places = new LinkedHashMap<>(); // what is wrong with a file is told once
        places.put(request.data().prompts(), "data.prompts");
        for (int i = 0; i < request.evaluation().size(); i++) {
            places.putIfAbsent(request.evaluation().get(i).prompts(), "evaluation[%d].prompts".formatted(i));
        }
        places.forEach((file, place) -> promptFile(request, file, place, facts, findings));
    }

    private static void promptFile(TrainingRequest request, String path, String place, Facts facts, Findings findings) {
        Facts.PromptFile file = facts.promptFiles().get(path);
        if (file == null || file.unreadable() != null) {
            findings.hindrance(
                    place,
                    file == null ? path + " was not looked at" : file.unreadable(),
                    "give a readable .jsonl file");
            return;
        }
        boolean refuse = request.data().badRows() == BadRows.REFUSE;
        String mend = file.summary().usable() == 0
                ? "mend the rows, or set data.promptKey and data.labelKey to the keys that they have"
                : "mend the line, or set data.badRows to skip";
        for (RowProblem problem : file.summary().problems()) {
            String message = "%s, %s".formatted(path, problem);
            if (refuse) {
                findings.error(place, message, mend);
            } else {
                findings.warning(place, message, "mend the line; it is left out");
            }
        }
        int untold = file.summary().untold();
        if (untold > 0) {
            findings.warning(place, "%s has %d more broken lines".formatted(path, untold), "mend them too");
        }
        if (file.summary().usable() == 0) {
            findings.error(
                    place,
                    path + " has no usable row",
                    "give rows such as {\"%s\": ..., \"%s\": ...}"
                            .formatted(
                                    request.data().promptKey(), request.data().labelKey()));
        }
    }

    private static void fewPrompts(TrainingRequest request, Facts facts, Findings findings) {
        Facts.PromptFile file = facts.promptFiles().get(request.data().prompts());
        int rows = file == null ? 0 : file.summary().usable();
        if (rows > 0 && rows < request.rollout().groupsPerStep()) {
            findings.warning(
                    "data.prompts",
                    "%d prompts are fewer than the %d groups of a step: some are used twice in it"
                            .formatted(rows, request.rollout().groupsPerStep()),
                    "give more prompts, or lower rollout.groupsPerStep to %d".formatted(rows));
        }
    }

    private static void instances(TrainingRequest request, Facts facts, Findings findings) {
        boolean toRun = facts.purpose() == Facts.Purpose.RUN;
        if (toRun && request.backend() == Backend.GPU && facts.gpuInstances() == 0) {
            findings.error(
                    "backend",
                    "backend gpu needs instances with GPUs; none is alive",
                    "start rollout and trainer instances on GPU hosts, or set backend to cpu");
        }
    }
}

package dev.sluice.domain.slime;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.shell.Place;
import dev.sluice.domain.slime.Finding.Kind;
import dev.sluice.domain.slime.Finding.Severity;
import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/** Prompts, held-out sets, the reward and the number of steps: {@code data}, {@code evaluation}, {@code training.steps}. */
record DataFlags(Draft draft, ImportSettings settings) {
    private static final String PROMPTS = "--prompt-data";
    private static final String EPOCHS = "--num-epoch";
    private static final String BATCH = "--rollout-batch-size";
    private static final String SETS = "--eval-prompt-data";
    private static final String INTERVAL = "--eval-interval";

    /** What slime calls a held-out set that is given without a name. */
    private static final String UNNAMED_SET = "aime";

    private static final Pattern SLICE = Pattern.compile(".*@\\[-?\\d*:-?\\d*]");

    void read() {
        if (draft.has(PROMPTS)) {
            draft.text(PROMPTS).ifPresent(path -> {
                file(PROMPTS, path);
                draft.put("data.prompts", path);
            });
        } else {
            draft.missing(PROMPTS, "give the .jsonl file of prompts");
        }
        boolean sampled = !KindFlags.isSupervised(draft);
        for (String flag : List.of("--hf-checkpoint", BATCH, "--rollout-max-response-len")) {
            if (!draft.has(flag) && (sampled || !flag.equals("--rollout-max-response-len"))) {
                draft.missing(flag, "give it a value");
            }
        }
        if (sampled && !draft.has("--rm-type") && !draft.has("--custom-rm-path")) {
            draft.missing("--rm-type", "give the reward, such as --rm-type deepscaler");
        }
        steps();
        evaluation();
    }

    private void steps() {
        if (draft.has("--num-rollout")) {
            draft.whole("--num-rollout").ifPresent(steps -> draft.put("training.steps", steps));
        } else if (draft.has(EPOCHS)) {
            epochs();
        } else {
            draft.findings()
                    .add(new Finding(
                            Kind.MISSING,
                            Severity.ERROR,
                            draft.place("--num-rollout"),
                            "--num-rollout",
                            "the script does not give it, and it has no default",
                            "give the number of steps",
                            "R15"));
        }
    }

    /** As slime counts: whole batches of a pass over the rows, times the passes. */
    private void epochs() {
        String path = draft.text(PROMPTS).orElse("");
        long batch = draft.whole(BATCH, 0);
        long epochs = draft.whole(EPOCHS, 0);
        OptionalInt rows = settings.rows().apply(path);
        if (rows.isEmpty()) {
            draft.findings()
                    .error(
                            Kind.UNSUPPORTED,
                            draft.place(EPOCHS),
                            EPOCHS,
                            "a request counts steps, and the rows of %s cannot be counted from here"
                                    .formatted(path.isEmpty() ? PROMPTS : FlagReader.shortened(path)),
                            "import where the file is, or give --num-rollout: rows divided by --rollout-batch-size, times"
                                    + " the epochs");
            return;
        }
        long steps = batch < 1 ? 0 : rows.getAsInt() / batch * epochs;
        if (steps < 1) {
            draft.findings()
                    .error(
                            Kind.VALUE,
                            draft.place(EPOCHS),
                            EPOCHS,
                            "%d epochs of %d rows in batches of %d are no step"
                                    .formatted(epochs, rows.getAsInt(), batch),
                            "give more rows, or a --rollout-batch-size that they fill");
            return;
        }
        draft.put("training.steps", steps);
        draft.findings()
                .note(
                        draft.place(EPOCHS),
                        EPOCHS,
                        "%d rows in batches of %d are %d steps an epoch, %d in all; prompts that are left out for their length count too"
                                .formatted(rows.getAsInt(), batch, rows.getAsInt() / batch, steps),
                        "give --num-rollout to say the steps");
    }

    private void file(String flag, String path) {
        if (SLICE.matcher(path).matches()) {
            unreadable(
                    flag,
                    path,
                    "a file is used whole, not by a slice of its rows",
                    "write the rows to a file of their own");
        } else if (path.endsWith(".parquet")) {
            unreadable(flag, path, "prompts are read from .jsonl files", "write the rows as one JSON document a line");
        } else if (!path.startsWith("/")) {
            draft.findings()
                    .note(
                            draft.place(flag),
                            flag,
                            "%s is relative: slime would look for it from where it is started, Sluice from the request's file"
                                    .formatted(path),
                            "give an absolute path");
        }
    }

    private void unreadable(String flag, String path, String why, String mend) {
        draft.findings()
                .error(Kind.UNSUPPORTED, draft.place(flag), flag, FlagReader.shortened(path) + ": " + why, mend);
    }

    private void evaluation() {
        List<String> pairs = draft.texts(SETS);
        if (!draft.has(INTERVAL)) {
            if (!pairs.isEmpty()) {
                draft.findings()
                        .note(
                                draft.place(SETS),
                                SETS,
                                "without --eval-interval slime never measures these sets, so the request has none",
                                "give --eval-interval to measure them");
            }
            return;
        }
        if (!draft.has(SETS)) {
            if (!draft.has("--eval-config")) {
                draft.findings()
                        .add(new Finding(
                                Kind.MISSING,
                                Severity.ERROR,
                                draft.place(INTERVAL),
                                SETS,
                                "--eval-interval is given, but no held-out set",
                                "give --eval-prompt-data NAME PATH, or remove --eval-interval",
                                "R16"));
            }
            return;
        }
        if (pairs.size() > 1 && pairs.size() % 2 != 0) {
            draft.findings()
                    .error(
                            Kind.VALUE,
                            draft.place(SETS),
                            SETS,
                            "%d words are no pairs of a name and a path".formatted(pairs.size()),
                            "give a name before each path");
            return;
        }
        sets(pairs.size() == 1 ? List.of(UNNAMED_SET, pairs.getFirst()) : pairs);
        sampling();
    }

    private void sets(List<String> pairs) {
        ArrayNode sets = JsonNodeFactory.instance.arrayNode();
        for (int i = 0; i + 1 < pairs.size(); i += 2) {
            file(SETS, pairs.get(i + 1));
            ObjectNode set = sets.addObject().put("name", pairs.get(i)).put("prompts", pairs.get(i + 1));
            draft.whole(INTERVAL).ifPresent(interval -> set.put("everySteps", interval));
            set.put("samplesPerPrompt", draft.whole("--n-samples-per-eval-prompt", 1));
            draft.whole("--eval-max-response-len")
                    .or(() -> draft.whole("--rollout-max-response-len"))
                    .ifPresent(tokens -> set.put("maxResponseTokens", tokens));
            set.put(
                    "temperature",
                    draft.number("--eval-temperature").orElseGet(() -> draft.number("--rollout-temperature", 1.0)));
        }
        draft.put("evaluation", sets);
    }

    /** Held-out sets are sampled with training's own mass and count, and read with its keys. */
    private void sampling() {
        differs("--eval-top-p", "--rollout-top-p", "1.0", Severity.WARNING, "rollout.topP");
        differs("--eval-top-k", "--rollout-top-k", "-1", Severity.WARNING, "rollout.topK");
        differs("--eval-input-key", "--input-key", "input", Severity.ERROR, "data.promptKey");
        differs("--eval-label-key", "--label-key", "", Severity.ERROR, "data.labelKey");
    }

    private void differs(String flag, String training, String standard, Severity severity, String path) {
        String trained = draft.text(training).orElse(standard);
        draft.text(flag).filter(value -> !KnownFlag.same(value, trained)).ifPresent(value -> {
            Place place = draft.place(flag);
            draft.findings()
                    .add(new Finding(
                            Kind.UNSUPPORTED,
                            severity,
                            place,
                            flag,
                            "held-out sets have %s of training, %s, and not %s".formatted(path, trained, value),
                            "remove it, or give the same for both",
                            null));
        });
    }
}

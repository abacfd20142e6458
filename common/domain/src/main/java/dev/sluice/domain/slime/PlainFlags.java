package dev.sluice.domain.slime;

import dev.sluice.domain.shell.Doubt;
import dev.sluice.domain.shell.Field;
import dev.sluice.domain.shell.Gap;
import dev.sluice.domain.shell.Place;
import dev.sluice.domain.slime.Finding.Kind;
import dev.sluice.domain.slime.Finding.Severity;
import dev.sluice.domain.slime.Treatment.Otherwise;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Treats every flag that can be treated by itself, as the table says. */
final class PlainFlags {
    private final Draft draft;

    PlainFlags(Draft draft) {
        this.draft = draft;
    }

    void read() {
        gaps();
        doubts();
        for (KnownFlag known : FlagTable.all()) {
            if (known.treatment() instanceof Treatment.Maps maps) {
                map(known, maps);
            } else if (!draft.has(known.name())) {
                absent(known);
            }
        }
        draft.flags().forEach(this::treat);
    }

    /** What slime would do without the flag where Sluice does otherwise, such as dropout. */
    private void absent(KnownFlag known) {
        boolean differs = known.treatment() instanceof Treatment.Given given
                && known.standard() != null
                && !given.accepted().isEmpty()
                && given.otherwise().severity() != null
                && !accepted(given.accepted(), known.standard());
        if (differs && known.treatment() instanceof Treatment.Given given) {
            draft.findings()
                    .warning(
                            Kind.UNSUPPORTED,
                            draft.place(known.name()),
                            known.name(),
                            "the script does not give it, so slime would take %s; here %s"
                                    .formatted(known.standard(), given.why()),
                            given.mend() + " to say so");
        }
    }

    private void treat(ScriptFlag flag) {
        switch (flag.known().treatment()) {
            case Treatment.Given given -> given(flag, given);
            case Treatment.Unsupported unsupported -> unsupported(flag, unsupported);
            case Treatment.Megatron ignored -> further(flag, "training.megatron", "--");
            case Treatment.Sglang ignored -> further(flag, "rollout.sglang", KnownFlag.SGLANG);
            case Treatment.Maps ignored -> {}
            case Treatment.Joins ignored -> {}
            case Treatment.Shape ignored -> {}
        }
    }

    private void map(KnownFlag known, Treatment.Maps maps) {
        String flag = known.name();
        String standard = known.standard();
        switch (maps.kind()) {
            case FLAG -> draft.put(maps.path(), draft.has(flag));
            case OFF -> draft.put(maps.path(), !draft.has(flag));
            case TEXT ->
                draft.text(flag)
                        .or(() -> Optional.ofNullable(standard))
                        .ifPresent(text -> draft.put(maps.path(), text));
            case WHOLE -> {
                if (!draft.has(flag) && standard != null) {
                    draft.put(maps.path(), Long.parseLong(standard));
                }
                draft.whole(flag).ifPresent(value -> draft.put(maps.path(), value));
            }
            case NUMBER -> {
                if (!draft.has(flag) && standard != null) {
                    draft.put(maps.path(), Double.parseDouble(standard));
                }
                draft.number(flag).ifPresent(value -> draft.put(maps.path(), value.doubleValue()));
            }
        }
    }

    private void given(ScriptFlag flag, Treatment.Given given) {
        boolean follows =
                given.accepted().isEmpty() || flag.texts().stream().allMatch(text -> accepted(given.accepted(), text));
        if (follows || !flag.decided()) {
            return;
        }
        if (given.otherwise().severity() == null) {
            further(flag, "training.megatron", "--");
        } else {
            cannot(flag, given.otherwise(), given.why(), given.mend());
        }
    }

    private void unsupported(ScriptFlag flag, Treatment.Unsupported unsupported) {
        boolean neutral = flag.values().size() == 1
                && (flag.known().isStandard(flag.text()) || accepted(unsupported.neutral(), flag.text()));
        if (!neutral) {
            cannot(flag, unsupported.otherwise(), unsupported.why(), unsupported.mend());
        }
    }

    private void cannot(ScriptFlag flag, Otherwise otherwise, String why, String mend) {
        Severity severity = otherwise.severity() == null ? Severity.WARNING : otherwise.severity();
        String value = flag.values().isEmpty() ? "" : " " + FlagReader.shortened(flag.text());
        String message = severity == Severity.ERROR
                ? "a request cannot say%s, and without it something else would be trained: %s"
                        .formatted(value.isEmpty() ? " this" : value, why)
                : "it has no place in a request: %s".formatted(why);
        draft.findings()
                .add(new Finding(
                        Kind.UNSUPPORTED, severity, flag.place(), flag.name(), message, mend, otherwise.rule()));
    }

    private void further(ScriptFlag flag, String path, String prefix) {
        if (flag.decided()) {
            draft.putFlag(path, flag.name().substring(prefix.length()), flag);
        }
    }

    private static boolean accepted(List<String> values, String text) {
        return values.stream().anyMatch(value -> KnownFlag.same(value, text));
    }

    /** One finding for each thing that is not known, with the flags that depend on it. */
    private void gaps() {
        Map<Gap, List<ScriptFlag>> waiting = new LinkedHashMap<>();
        for (ScriptFlag flag : draft.flags()) {
            if (flag.known().matters()) {
                for (Field value : flag.values()) {
                    value.gaps()
                            .forEach(gap -> waiting.computeIfAbsent(gap, ignored -> new ArrayList<>())
                                    .add(flag));
                }
            }
        }
        waiting.forEach((gap, flags) -> {
            ScriptFlag first = flags.getFirst();
            draft.findings()
                    .error(
                            Kind.VALUE,
                            first.place(),
                            first.name(),
                            "%s: %s%s"
                                    .formatted(
                                            FlagReader.shortened(first.text()),
                                            gap.reason(),
                                            others(flags.stream()
                                                    .map(ScriptFlag::name)
                                                    .distinct()
                                                    .toList())),
                            gap.variable() == null
                                    ? "write the value out"
                                    : "give it with --env %s=VALUE".formatted(gap.variable()));
        });
    }

    /** One finding for each condition or loop, with the flags that stand in it. */
    private void doubts() {
        Map<Doubt, List<String>> waiting = new LinkedHashMap<>();
        for (ScriptFlag flag : draft.flags()) {
            Doubt doubt = flag.doubt();
            if (doubt != null) {
                waiting.computeIfAbsent(doubt, ignored -> new ArrayList<>()).add(flag.name());
            }
        }
        waiting.forEach((doubt, flags) -> {
            Place place = draft.place(flags.getFirst());
            draft.findings()
                    .warning(
                            Kind.SYNTAX,
                            place,
                            flags.getFirst(),
                            "%s (%s); it is read as given%s".formatted(doubt.reason(), doubt.place(), others(flags)),
                            "write the flags outside of it, or decide the condition with --env");
        });
    }

    private static String others(List<String> flags) {
        if (flags.size() == 1) {
            return "";
        }
        List<String> rest = flags.subList(1, Math.min(flags.size(), 5));
        String more = flags.size() > 5 ? " and %d more".formatted(flags.size() - 5) : "";
        return " (also " + String.join(", ", rest) + more + ")";
    }
}

package dev.sluice.domain.slime;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.shell.Place;
import dev.sluice.domain.shell.Remark;
import dev.sluice.domain.shell.ShellReader;
import dev.sluice.domain.shell.ShellReading;
import dev.sluice.domain.shell.ShellScript;
import dev.sluice.domain.slime.Finding.Kind;
import dev.sluice.domain.slime.KnownFlag.Owner;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Makes a request of a slime launch script. Nothing in the script is run, and whatever its text, the answer is a request
 * with findings, never an exception.
 *
 * @see <a href="https://github.com/THUDM/slime/tree/main/scripts">slime's scripts</a>
 */
public final class ScriptImport {
    private ScriptImport() {}

    /**
     * Reads a script.
     *
     * @param sources gives the text of a file that the script sources, by a path that is relative where the script's
     *     folder is; nothing where it is not to be had
     */
    public static Imported read(
            ShellScript script, ImportSettings settings, Function<String, Optional<String>> sources) {
        Findings findings = new Findings();
        Place start = new Place(script.name(), 1);
        ShellReading reading = ShellReader.read(script, settings.variables(), sources);
        tell(reading, findings);
        return Launch.find(reading, start, findings)
                .map(launch -> imported(script, settings, reading, launch, findings))
                .orElseGet(() -> new Imported(
                        JsonNodeFactory.instance.objectNode(),
                        false,
                        Flags.NONE,
                        Flags.NONE,
                        Flags.NONE,
                        Map.of(),
                        findings.sorted(),
                        Map.of()));
    }

    private static Imported imported(
            ShellScript script, ImportSettings settings, ShellReading reading, Launch launch, Findings findings) {
        Map<String, ScriptFlag> flags = FlagReader.read(launch.arguments(), findings);
        Draft draft = new Draft(flags, findings, launch.place());
        draft.put("name", script.name().replaceFirst("\\.sh$", ""));
        new PlainFlags(draft).read();
        new ClusterFlags(draft, launch.gpusOfNode(), settings).read();
        new DataFlags(draft, settings).read();
        new PromptFlags(draft).read();
        new RolloutFlags(draft, launch.asynchronous()).read();
        new AlgorithmFlags(draft).read();
        new TrainingFlags(draft).read();
        new KindFlags(draft).read();
        Map<String, String> environment = new EnvironmentFlags(draft).read(reading.exported(), launch);
        return new Imported(
                draft.finished(),
                launch.asynchronous(),
                flags(flags.values(), Set.of(Owner.SLIME, Owner.BOTH)),
                flags(flags.values(), Set.of(Owner.MEGATRON, Owner.BOTH)),
                flags(flags.values(), Set.of(Owner.SGLANG)),
                environment,
                findings.sorted(),
                draft.places());
    }

    private static void tell(ShellReading reading, Findings findings) {
        for (Remark remark : reading.remarks()) {
            if (remark.weight() == Remark.Weight.ERROR) {
                findings.error(Kind.SYNTAX, remark.place(), null, remark.message(), remark.mend());
            } else {
                findings.warning(Kind.SYNTAX, remark.place(), null, remark.message(), remark.mend());
            }
        }
        for (ShellReading.MissingSource missing : reading.missing()) {
            // slime keeps a model's arguments in scripts/models, one file a model; config.json says the same.
            if (missing.path().matches("(.*/)?models/[^/]+\\.sh")) {
                findings.note(
                        missing.place(),
                        null,
                        "%s is not there; the model's arguments follow from its config.json".formatted(missing.path()),
                        "put slime's scripts/models beside the script to have them compared with config.json");
            } else {
                findings.warning(
                        Kind.SYNTAX,
                        missing.place(),
                        null,
                        "%s is not there, or lies outside the script's folder; what it sets is not known"
                                .formatted(FlagReader.shortened(missing.path())),
                        "put it beside the script");
            }
        }
    }

    private static Flags flags(Collection<ScriptFlag> given, Set<Owner> owners) {
        Map<String, List<String>> values = new LinkedHashMap<>();
        for (ScriptFlag flag : given) {
            if (owners.contains(flag.known().owner()) && flag.decided()) {
                String name =
                        flag.name().startsWith(KnownFlag.SGLANG) && flag.known().owner() == Owner.SGLANG
                                ? "--" + flag.name().substring(KnownFlag.SGLANG.length())
                                : flag.name();
                values.put(name, flag.texts());
            }
        }
        return new Flags(values);
    }
}

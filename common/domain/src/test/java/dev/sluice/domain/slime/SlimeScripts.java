package dev.sluice.domain.slime;

import dev.sluice.domain.shell.Scripts;
import dev.sluice.domain.shell.ShellScript;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** Launch scripts in slime's form, and imports of them. */
final class SlimeScripts {
    static final String FOLDER = "/slime/scripts";
    static final String ONE_NODE = "run-glm4.7-30B-A3B-8gpus.sh";
    static final String TWO_NODES = "run-glm4.7-30B-A3B-2nodes.sh";
    static final String ONE_ENGINE = "run-glm4.7-30B-A3B-24gpus.sh";
    static final String HEAD = "run-glm4.7-30B-A3B-head.sh";

    private SlimeScripts() {}

    static String text(String name) {
        return Scripts.find(SlimeScripts.class, name).orElseThrow();
    }

    static Optional<String> sources(String path) {
        return path.startsWith(FOLDER + "/")
                ? Scripts.find(SlimeScripts.class, path.substring(FOLDER.length() + 1))
                : Optional.empty();
    }

    static Imported imported(String name) {
        return imported(name, text(name), Map.of("BASE_DIR", "/data"));
    }

    static Imported imported(String name, String text, Map<String, String> variables) {
        return ScriptImport.read(
                new ShellScript(name, FOLDER, text),
                new ImportSettings(null, 0, null, variables, path -> OptionalInt.empty()),
                SlimeScripts::sources);
    }

    /** The single-node script with one of its texts replaced. */
    static Imported changed(String what, String by) {
        String text = text(ONE_NODE);
        if (!text.contains(what)) {
            throw new IllegalArgumentException(ONE_NODE + " does not say " + what);
        }
        return imported("run.sh", text.replace(what, by), Map.of());
    }

    /** The single-node script with further flags. */
    static Imported with(String flags) {
        return changed("   --attention-dropout 0.0\n", "   --attention-dropout 0.0\n" + flags + "\n");
    }
}

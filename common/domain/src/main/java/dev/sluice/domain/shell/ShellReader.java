package dev.sluice.domain.shell;

import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Reads bash scripts without running anything in them.
 *
 * <p>Known are arrays, quotes, variables with their common forms, arithmetic, here-documents, functions, conditions that
 * the text decides, sourced files and the few commands of {@link KnownCommands}. Whatever else a value depends on is a
 * {@link Gap} in it. The work is bounded by {@link Limits}, whatever the text.
 *
 * @see <a href="https://www.gnu.org/software/bash/manual/bash.html">Bash Reference Manual, chapter 3</a>
 */
public final class ShellReader {
    private ShellReader() {}

    /**
     * Reads a script.
     *
     * @param environment variables that are set before it begins
     * @param sources gives the text of a sourced file by its path, or nothing where it is not to be had; the path is
     *     relative where the script's folder is
     */
    public static ShellReading read(
            ShellScript script, Map<String, String> environment, Function<String, Optional<String>> sources) {
        ScriptWalk walk = new ScriptWalk(environment, sources);
        walk.read(script, script.name());
        return walk.reading(new Place(script.name(), 1));
    }

    /** Refuses what is too large, or no text. */
    static void check(ShellScript script, String shownAs) {
        Place place = new Place(shownAs, 1);
        if (script.text().length() > Limits.SCRIPT_CHARACTERS) {
            throw new Unreadable(
                    place,
                    "the script has %,d characters; at most %,d are read"
                            .formatted(script.text().length(), Limits.SCRIPT_CHARACTERS),
                    "give the launch script alone, without data in it");
        }
        if (script.text().indexOf(Cursor.END) >= 0) {
            throw new Unreadable(place, "the file is no text: it holds a NUL character", "give a bash script");
        }
    }
}

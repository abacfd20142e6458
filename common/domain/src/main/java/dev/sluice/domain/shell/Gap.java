package dev.sluice.domain.shell;

import org.jspecify.annotations.Nullable;

/**
 * A part of a text that only a running shell could fill in.
 *
 * @param shown what stands in the text in its place, such as {@code ${BASE_DIR}}
 * @param reason why it is not known, such as {@code BASE_DIR is set nowhere in the script}
 * @param variable the variable that would fill it, where a variable would
 */
public record Gap(String shown, String reason, @Nullable String variable) {
    static Gap unset(String name) {
        return new Gap("${" + name + "}", name + " is set nowhere in the script", name);
    }
}

package dev.sluice.domain.data;

import dev.sluice.events.TrainingRequest;

/**
 * Where a row keeps its prompt, its label and its tools.
 *
 * @param prompt key of a text, or of a list of {@code {role, content}} messages
 * @param label key of a text, number or boolean
 * @param tools key of a list of tools or its JSON text; a row may be without
 */
public record RowKeys(String prompt, String label, String tools) {
    public RowKeys(String prompt, String label) {
        this(prompt, label, "tools");
    }

    public static RowKeys of(TrainingRequest.Data data) {
        return new RowKeys(data.promptKey(), data.labelKey(), data.toolKey());
    }
}

package dev.sluice.domain.data;

import dev.sluice.events.TrainingRequest;

/**
 * Where a row keeps its prompt and its label.
 *
 * @param prompt key of a text, or of a list of {@code {role, content}} messages
 * @param label key of a text, number or boolean
 */
public record RowKeys(String prompt, String label) {
    public static RowKeys of(TrainingRequest.Data data) {
        return new RowKeys(data.promptKey(), data.labelKey());
    }
}

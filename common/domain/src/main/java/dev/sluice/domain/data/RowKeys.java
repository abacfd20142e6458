package dev.sluice.domain.data;

import dev.sluice.events.TrainingRequest;
import java.util.Objects;

/**
 * Where a row keeps its prompt and its label.
 *
 * @param prompt key of a text, or of a list of {@code {role, content}} messages
 * @param label key of a text, number or boolean
 * @param metadata key of an object that rewards may look at; a row may lack it
 */
public record RowKeys(String prompt, String label, String metadata) {
    private static final String METADATA = "metadata";

    /** With the usual key of metadata. */
    public RowKeys(String prompt, String label) {
        this(prompt, label, METADATA);
    }

    public static RowKeys of(TrainingRequest.Data data) {
        return new RowKeys(data.promptKey(), data.labelKey(), Objects.requireNonNullElse(data.metadataKey(), METADATA));
    }
}

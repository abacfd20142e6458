package dev.sluice.domain.data;

import dev.sluice.events.RunKind;
import dev.sluice.events.TrainingRequest;
import java.util.Objects;

/**
 * Where a row keeps its prompt, its label and its tools.
 *
 * @param prompt key of a text, or of a list of {@code {role, content}} messages
 * @param label key of a text, number or boolean
 * @param metadata key of an object that rewards may look at; a row may lack it
 * @param tools key of a list of tools or its JSON text; a row may be without
 * @param labelled whether every row needs a label; conversations that are learnt hold their answers themselves
 */
public record RowKeys(String prompt, String label, String metadata, String tools, boolean labelled) {
    private static final String METADATA = "metadata";

    /** With the usual keys of metadata and tools. */
    public RowKeys(String prompt, String label) {
        this(prompt, label, METADATA, "tools", true);
    }

    public static RowKeys of(TrainingRequest request) {
        TrainingRequest.Data data = request.data();
        return new RowKeys(
                data.promptKey(),
                data.labelKey(),
                Objects.requireNonNullElse(data.metadataKey(), METADATA),
                data.toolKey(),
                !RunKind.SUPERVISED_ALGORITHM.equals(request.algorithm().name()));
    }
}

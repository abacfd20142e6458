package dev.sluice.trainer.prompts;

import dev.sluice.domain.data.PromptRow;
import dev.sluice.events.GroupTask.Prompt;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.TrainingRequest.BadRows;
import dev.sluice.text.ChatTemplate;
import dev.sluice.text.Conversation;
import dev.sluice.text.Tokenizer;
import dev.sluice.text.jinja.TemplateException;
import dev.sluice.trainer.run.TrainingRefusedException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at every prompt before the first step, so that no instance meets one later that the chat template refuses or that is
 * too long.
 *
 * @param file where the rows come from
 * @param maximumTokens longest prompt; 0 for none
 */
record PromptCheck(String file, Path model, TrainingRequest.Data data, int maximumTokens) {
    private static final Logger LOG = LoggerFactory.getLogger(PromptCheck.class);

    /** The rows that can be used, in their order; at least one. */
    List<PromptRow> usable(List<PromptRow> rows, PromptForm form) {
        if (!data.applyChatTemplate() && maximumTokens == 0) {
            return rows;
        }
        try (Tokenizer tokenizer = maximumTokens == 0 ? null : Tokenizer.open(model)) {
            ChatTemplate template = data.applyChatTemplate() ? ChatTemplate.open(model) : null;
            return usable(rows, row -> tokens(form.prompt(row), template, tokenizer));
        } catch (IOException e) {
            throw new TrainingRefusedException(e.getMessage(), e);
        }
    }

    /**
     * The rows that can be used, in their order; at least one.
     *
     * @param tokens how many a row has; throws where the row cannot be used
     */
    List<PromptRow> usable(List<PromptRow> rows, ToIntFunction<PromptRow> tokens) {
        // One pass that keeps no text: the rendered prompts of a large file would fill the memory.
        Found found = new Found();
        rows.forEach(row -> look(row, tokens, found));
        report(found, rows.size());
        return found.kept;
    }

    /** What a pass over the rows found. */
    private static final class Found {
        private final List<PromptRow> kept = new ArrayList<>();
        private int refused;
        private String firstRefusal = "";
        private int tooLong;
        private int longestTokens;
    }

    private void look(PromptRow row, ToIntFunction<PromptRow> measure, Found found) {
        int tokens;
        try {
            tokens = measure.applyAsInt(row);
        } catch (TemplateException | IllegalArgumentException e) {
            if (found.refused++ == 0) {
                found.firstRefusal = "line %d: %s".formatted(row.line(), e.getMessage());
            }
            return;
        }
        found.longestTokens = Math.max(found.longestTokens, tokens);
        if (maximumTokens > 0 && tokens > maximumTokens) {
            found.tooLong++;
        } else {
            found.kept.add(row);
        }
    }

    private void report(Found found, int rows) {
        if (found.refused > 0 && (data.badRows() == BadRows.REFUSE || found.refused == rows)) {
            throw new TrainingRefusedException(
                    "%d of %d prompts of %s cannot be used with the model %s, the first is %s; mend them or set data.badRows to skip"
                            .formatted(found.refused, rows, file, model, found.firstRefusal));
        }
        if (found.kept.isEmpty()) {
            throw new TrainingRefusedException(
                    "all %d prompts of %s have more tokens than data.maxPromptTokens %d; set it to %d to use them all"
                            .formatted(found.tooLong, file, maximumTokens, found.longestTokens));
        }
        if (found.refused > 0) {
            LOG.warn(
                    "prompts that cannot be used are left out file={} rows={} of={} first={}",
                    file,
                    found.refused,
                    rows,
                    found.firstRefusal);
        }
        if (found.tooLong > 0) {
            LOG.info(
                    "prompts above data.maxPromptTokens are left out file={} rows={} of={} maxPromptTokens={} longest={}",
                    file,
                    found.tooLong,
                    rows,
                    maximumTokens,
                    found.longestTokens);
        }
    }

    private static int tokens(Prompt prompt, @Nullable ChatTemplate template, @Nullable Tokenizer tokenizer) {
        String text = text(prompt, template);
        return tokenizer == null ? 0 : tokenizer.encode(text).length;
    }

    private static String text(Prompt prompt, @Nullable ChatTemplate template) {
        if (prompt.messages() == null || template == null) {
            return prompt.text();
        }
        Conversation.Builder conversation =
                Conversation.builder().tools(prompt.tools()).arguments(prompt.templateArguments());
        prompt.messages().forEach(message -> conversation.message(message.role(), message.content(), message.json()));
        return template.render(conversation.toBeAnswered());
    }
}

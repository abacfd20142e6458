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
            return notTooLong(rendered(rows, form, template), tokenizer);
        } catch (IOException e) {
            throw new TrainingRefusedException(e.getMessage(), e);
        }
    }

    /** A row with the text that the model reads. */
    private record Rendered(PromptRow row, String text) {}

    private List<Rendered> rendered(List<PromptRow> rows, PromptForm form, @Nullable ChatTemplate template) {
        List<Rendered> rendered = new ArrayList<>();
        List<String> refused = new ArrayList<>();
        for (PromptRow row : rows) {
            try {
                rendered.add(new Rendered(row, text(form.prompt(row), template)));
            } catch (TemplateException | IllegalArgumentException e) {
                refused.add("line %d: %s".formatted(row.line(), e.getMessage()));
            }
        }
        if (!refused.isEmpty() && (data.badRows() == BadRows.REFUSE || rendered.isEmpty())) {
            throw new TrainingRefusedException(
                    "the chat template of %s refuses %d of %d prompts of %s, the first is %s; mend them or set data.badRows to skip"
                            .formatted(model, refused.size(), rows.size(), file, refused.getFirst()));
        }
        if (!refused.isEmpty()) {
            LOG.warn(
                    "prompts that the chat template refuses are left out file={} rows={} of={} first={}",
                    file,
                    refused.size(),
                    rows.size(),
                    refused.getFirst());
        }
        return rendered;
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

    private List<PromptRow> notTooLong(List<Rendered> rendered, @Nullable Tokenizer tokenizer) {
        List<PromptRow> kept = new ArrayList<>();
        int longest = 0;
        for (Rendered prompt : rendered) {
            int tokens = tokenizer == null ? 0 : tokenizer.encode(prompt.text()).length;
            longest = Math.max(longest, tokens);
            if (tokens <= maximumTokens) {
                kept.add(prompt.row());
            }
        }
        int left = rendered.size() - kept.size();
        if (kept.isEmpty()) {
            throw new TrainingRefusedException(
                    "all %d prompts of %s have more tokens than data.maxPromptTokens %d; set it to %d to use them all"
                            .formatted(left, file, maximumTokens, longest));
        }
        if (left > 0) {
            LOG.info(
                    "prompts above data.maxPromptTokens are left out file={} rows={} of={} maxPromptTokens={} longest={}",
                    file,
                    left,
                    rendered.size(),
                    maximumTokens,
                    longest);
        }
        return kept;
    }
}

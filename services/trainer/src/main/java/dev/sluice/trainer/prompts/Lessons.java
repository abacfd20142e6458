package dev.sluice.trainer.prompts;

import dev.sluice.domain.data.Prompt;
import dev.sluice.domain.data.PromptRow;
import dev.sluice.events.TrainingRequest;
import dev.sluice.text.ChatTemplate;
import dev.sluice.text.Conversation;
import dev.sluice.text.Tokenizer;
import dev.sluice.text.TrainedTurns;
import dev.sluice.trainer.run.TrainingRefusedException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Makes lessons of rows that hold their answers. A conversation is rendered by the model's chat template, and the
 * assistant's messages are learnt; a plain text with a label becomes a user's message with its answer, or without a chat
 * template the text, the label and the token that ends a sequence.
 *
 * @param modelTokens longest sequence that the model takes
 */
public record Lessons(Tokenizer tokenizer, @Nullable ChatTemplate template, TrainingRequest.Data data, int modelTokens)
        implements AutoCloseable {

    /**
     * What one row teaches.
     *
     * @param tokens up to the last one that is learnt
     * @param mask 1 where a token is learnt
     * @param promptTokens tokens before the first one that is learnt, at least 1
     */
    public record Lesson(int[] tokens, byte[] mask, int promptTokens) {}

    /**
     * @param modelTokens longest sequence that the model takes
     * @throws TrainingRefusedException if the model's files cannot be read
     */
    public static Lessons open(TrainingRequest request, int modelTokens) {
        Path model = Path.of(request.model().path());
        TrainingRequest.Data data = request.data();
        try {
            ChatTemplate template = data.applyChatTemplate() ? ChatTemplate.open(model) : null;
            return new Lessons(Tokenizer.open(model), template, data, modelTokens);
        } catch (IOException e) {
            throw new TrainingRefusedException(e.getMessage(), e);
        }
    }

    /**
     * @throws dev.sluice.text.jinja.TemplateException if the chat template refuses the row
     * @throws IllegalArgumentException if the row teaches nothing or is too long
     */
    public Lesson lesson(PromptRow row) {
        TrainedTurns turns = template == null ? text(row) : TrainedTurns.of(template, tokenizer, conversation(row));
        byte[] mask = turns.mask().clone();
        mask[0] = 0; // nothing comes before it that could predict it
        int first = 0;
        while (first < mask.length && mask[first] == 0) {
            first++;
        }
        int end = mask.length;
        while (end > first && mask[end - 1] == 0) {
            end--;
        }
        if (first == end) {
            throw new IllegalArgumentException("it has no token to learn");
        }
        if (end > modelTokens) {
            throw new IllegalArgumentException(
                    "its %d tokens are more than the %d that the model takes; set data.maxPromptTokens to %d to leave such rows out"
                            .formatted(end, modelTokens, modelTokens));
        }
        return new Lesson(Arrays.copyOf(turns.ids(), end), Arrays.copyOf(mask, end), first);
    }

    private Conversation conversation(PromptRow row) {
        Conversation.Builder builder =
                Conversation.builder().tools(row.tools()).arguments(data.chatTemplateArguments());
        switch (row.prompt()) {
            case Prompt.Text question ->
                builder.message("user", question.text(), null).message("assistant", answer(row), null);
            case Prompt.Messages talk ->
                talk.messages().forEach(message -> builder.message(message.role(), message.content(), message.json()));
        }
        return builder.whole();
    }

    private TrainedTurns text(PromptRow row) {
        if (!(row.prompt() instanceof Prompt.Text question)) {
            throw new IllegalArgumentException("it is a list of messages; set data.applyChatTemplate to true");
        }
        int[] prompt = tokenizer.encode(question.text());
        int[] answer = tokenizer.encode(answer(row));
        List<Integer> ends = tokenizer.endOfSequenceIds();
        int[] ids = Arrays.copyOf(prompt, prompt.length + answer.length + (ends.isEmpty() ? 0 : 1));
        System.arraycopy(answer, 0, ids, prompt.length, answer.length);
        if (!ends.isEmpty()) {
            ids[ids.length - 1] = ends.getFirst();
        }
        byte[] mask = new byte[ids.length];
        Arrays.fill(mask, prompt.length, ids.length, (byte) 1);
        return new TrainedTurns(ids, mask);
    }

    private String answer(PromptRow row) {
        if (row.label().isEmpty()) {
            throw new IllegalArgumentException(
                    "it has neither messages nor an answer in %s".formatted(data.labelKey()));
        }
        return row.label();
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}

package dev.sluice.rollout.sampling;

import dev.sluice.events.GroupTask.Prompt;
import dev.sluice.text.ChatTemplate;
import dev.sluice.text.Conversation;
import dev.sluice.text.Tokenizer;
import dev.sluice.text.jinja.TemplateException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** Makes the tokens of a task's prompt: a text as it stands, a conversation through the model's chat template. */
final class PromptTokens {
    private final Tokenizer tokenizer;
    private final Path modelDirectory;
    private final ReentrantLock opening = new ReentrantLock();
    private @Nullable ChatTemplate template;

    PromptTokens(Tokenizer tokenizer, Path modelDirectory) {
        this.tokenizer = tokenizer;
        this.modelDirectory = modelDirectory;
    }

    /** @throws IllegalArgumentException if there is no usable template for a conversation, it refuses it, or no token comes out */
    int[] of(Prompt prompt) {
        int[] tokens = tokenizer.encode(text(prompt));
        if (tokens.length == 0) {
            throw new IllegalArgumentException("the prompt has no tokens");
        }
        return tokens;
    }

    /** What the tokens are made of: a text as it stands, a conversation as the chat template writes it. */
    String text(Prompt prompt) {
        return prompt.text() == null ? rendered(prompt) : prompt.text();
    }

    private String rendered(Prompt prompt) {
        if (prompt.messages() == null) {
            throw new IllegalArgumentException("the prompt is neither a text nor a conversation");
        }
        Conversation.Builder conversation =
                Conversation.builder().tools(prompt.tools()).arguments(prompt.templateArguments());
        prompt.messages().forEach(message -> conversation.message(message.role(), message.content(), message.json()));
        try {
            return template().render(conversation.toBeAnswered());
        } catch (TemplateException e) {
            throw new IllegalArgumentException("the chat template refuses the prompt: " + e.getMessage(), e);
        }
    }

    private ChatTemplate template() {
        opening.lock();
        try {
            if (template == null) {
                template = ChatTemplate.open(modelDirectory);
            }
            return template;
        } catch (IOException e) {
            throw new IllegalArgumentException("the prompt is a conversation: " + e.getMessage(), e);
        } finally {
            opening.unlock();
        }
    }
}

package dev.sluice.trainer.prompts;

import dev.sluice.domain.data.Prompt;
import dev.sluice.domain.data.PromptRow;
import dev.sluice.events.GroupTask;
import dev.sluice.events.GroupTask.Message;
import dev.sluice.events.TrainingRequest;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How rows become prompts of tasks.
 *
 * @param applyChatTemplate whether plain prompts become a user's message
 * @param toolKey key of a row's tools
 * @param templateArguments further variables of the chat template
 */
public record PromptForm(boolean applyChatTemplate, String toolKey, Map<String, String> templateArguments) {
    /** Prompts as they stand. */
    public static final PromptForm PLAIN = new PromptForm(false, "tools", Map.of());

    public static PromptForm of(TrainingRequest.Data data) {
        return new PromptForm(data.applyChatTemplate(), data.toolKey(), data.chatTemplateArguments());
    }

    GroupTask.Prompt prompt(PromptRow row) {
        return switch (row.prompt()) {
            case Prompt.Text plain when !applyChatTemplate -> GroupTask.Prompt.of(plain.text());
            case Prompt.Text plain -> conversation(row, List.of(Message.of("user", plain.text())));
            case Prompt.Messages talk ->
                conversation(
                        row,
                        talk.messages().stream()
                                .map(message -> new Message(message.role(), message.content(), message.json()))
                                .toList());
        };
    }

    private GroupTask.Prompt conversation(PromptRow row, List<Message> messages) {
        return new GroupTask.Prompt(null, messages, row.tools(), templateArguments);
    }

    /** What of this decides the text of a prompt, besides the template itself; nothing where all is as usual. */
    String identity() {
        String arguments = templateArguments.isEmpty() ? "" : " " + new TreeMap<>(templateArguments);
        return toolKey.equals("tools") ? arguments : arguments + " tools in " + toolKey;
    }
}

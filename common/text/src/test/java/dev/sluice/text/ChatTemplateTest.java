package dev.sluice.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChatTemplateTest {
    private static final Conversation HI =
            Conversation.builder().message("user", "Hi", null).toBeAnswered();

    @TempDir
    Path model;

    @Test
    void theFileWinsOverTheConfiguration() throws IOException {
        write("tokenizer_config.json", "{\"chat_template\": \"from config\"}");
        write("chat_template.jinja", "from file");

        assertThat(ChatTemplate.open(model).render(HI)).isEqualTo("from file");
    }

    @Test
    void aNamedTemplateForToolsIsTakenWhereThereAreTools() throws IOException {
        write("tokenizer_config.json", """
                {"chat_template": [{"name": "default", "template": "plain"}, {"name": "rag", "template": "{{ nothing"},
                 {"name": "tool_use", "template": "with {{ tools | length }}"}]}""");
        Conversation withTools = Conversation.builder()
                .message("user", "Hi", null)
                .tools("[{\"name\": \"f\"}]")
                .toBeAnswered();

        ChatTemplate template = ChatTemplate.open(model);

        assertThat(template.render(HI)).isEqualTo("plain");
        assertThat(template.render(withTools)).isEqualTo("with 1");
    }

    @Test
    void specialTokensAreThereAsTextOrAsAddedToken() throws IOException {
        write(
                "tokenizer_config.json",
                "{\"bos_token\": {\"content\": \"<s>\"}, \"eos_token\": \"</s>\", \"pad_token\": null,"
                        + " \"chat_template\": \"{{ bos_token }}{{ messages[0].content }}{{ eos_token }}{{ pad_token }}\"}");

        assertThat(ChatTemplate.open(model).render(HI)).isEqualTo("<s>Hi</s>");
    }

    @Test
    void argumentsAreJsonWhereTheyReadAsSuch() throws IOException {
        write(
                "chat_template.jinja",
                "{{ enable_thinking is false }} {{ effort }} {{ budget + 1 }} {{ quoted }}{{ empty }}");
        Conversation conversation = Conversation.builder()
                .message("user", "Hi", null)
                .arguments(Map.of(
                        "enable_thinking", "false", "effort", "high", "budget", "3", "quoted", "\"4\"", "empty", ""))
                .toBeAnswered();

        assertThat(ChatTemplate.open(model).render(conversation)).isEqualTo("True high 4 4");
    }

    @Test
    void theTimeIsTheClocks() throws IOException {
        write("chat_template.jinja", "{{ strftime_now('%d %b %Y, %H:%M %%') }}");
        Clock clock = Clock.fixed(Instant.parse("2026-03-04T05:06:07Z"), ZoneOffset.UTC);

        assertThat(ChatTemplate.open(model, clock).render(HI)).isEqualTo("04 Mar 2026, 05:06 %");
    }

    @Test
    void aMissingTemplateSaysWhereItWasLookedFor() {
        assertThatThrownBy(() -> ChatTemplate.open(model))
                .isInstanceOf(IOException.class)
                .hasMessage("The model directory " + model + " has no chat template (neither chat_template.jinja nor"
                        + " chat_template in tokenizer_config.json); copy it from the model's page, or give prompts as"
                        + " the model is to read them, without data.applyChatTemplate.");
    }

    @Test
    void aBrokenTemplateSaysTheFileAndTheLine() throws IOException {
        write("chat_template.jinja", "a\n{% if x %}");

        assertThatThrownBy(() -> ChatTemplate.open(model))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(model.resolve("chat_template.jinja") + " cannot be read (line 2: {% ");
    }

    @Test
    void whatIsNoConversationIsRefused() throws IOException {
        write("chat_template.jinja", "x");
        ChatTemplate template = ChatTemplate.open(model);

        assertThatThrownBy(() -> template.render(Conversation.builder().toBeAnswered()))
                .hasMessageContaining("at least one message");
        assertThatThrownBy(() -> template.render(
                        Conversation.builder().message("", "", "[1]").toBeAnswered()))
                .hasMessageContaining("message 0 of 1 is a ARRAY");
        assertThatThrownBy(() -> Conversation.builder().tools("[1"))
                .hasMessageContaining("the tools of the conversation is not JSON");
        assertThatThrownBy(() -> template.render(Conversation.builder()
                        .message("user", "Hi", null)
                        .arguments(Map.of("messages", "[]"))
                        .toBeAnswered()))
                .hasMessageContaining("'messages' is no argument of a chat template");
    }

    private void write(String name, String content) throws IOException {
        Files.writeString(model.resolve(name), content);
    }
}

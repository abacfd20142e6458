package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChatTemplateFileTest {
    @TempDir
    Path model;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"bos_token\": {\"chat_template\": \"x\"}, \"chat_template\": \"x\"} | true",
                "{\"chat_template\": [{\"name\": \"default\", \"template\": \"x\"}]} | true",
                "{\"bos_token\": {\"chat_template\": \"x\"}} | false",
                "{\"chat_template\": null} | false",
                "{\"chat_template\": | false",
                "[1] | false",
            })
    void isOneOfTheTokenizersSettings(String config, boolean found) throws IOException {
        Files.writeString(model.resolve("tokenizer_config.json"), config);

        assertThat(ChatTemplateFile.isIn(model)).isEqualTo(found);
    }

    @Test
    void isAFileOfItsOwn() throws IOException {
        assertThat(ChatTemplateFile.isIn(model)).isFalse();

        Files.writeString(model.resolve("chat_template.jinja"), "x");

        assertThat(ChatTemplateFile.isIn(model)).isTrue();
    }
}

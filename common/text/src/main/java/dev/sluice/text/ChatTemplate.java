package dev.sluice.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.text.jinja.Template;
import dev.sluice.text.jinja.TemplateException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The chat template of a Hugging Face model directory: {@code chat_template.jinja}, or {@code chat_template} of
 * {@code tokenizer_config.json}, one template or named ones. Renders what transformers' {@code apply_chat_template} renders.
 * Immutable and safe for many threads.
 */
public final class ChatTemplate {
    private static final String FILE = "chat_template.jinja";
    private static final String TOOLS_FILE = "additional_chat_templates/tool_use.jinja";
    private static final String CONFIG = "tokenizer_config.json";
    private static final String WITH_TOOLS = "tool_use";
    private static final String DEFAULT = "default";
    private static final int MAXIMUM_CONFIG_BYTES = 16 << 20;
    private static final int MAXIMUM_TEMPLATE_BYTES = 4 << 20;
    private static final List<String> SPECIAL_TOKENS =
            List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");
    private static final Set<String> OWN = Set.of("messages", "tools", "add_generation_prompt");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Map<String, Template> templates;
    private final Map<String, String> specialTokens;
    private final Clock clock;

    private ChatTemplate(Map<String, Template> templates, Map<String, String> specialTokens, Clock clock) {
        this.templates = Map.copyOf(templates);
        this.specialTokens = Map.copyOf(specialTokens);
        this.clock = clock;
    }

    /**
     * Opens the template of a model directory.
     *
     * @throws IOException if there is none, or a file is too large or broken; the message says which and what to do
     */
    public static ChatTemplate open(Path modelDir) throws IOException {
        return open(modelDir, Clock.systemDefaultZone());
    }

    static ChatTemplate open(Path modelDir, Clock clock) throws IOException {
        Map<String, Template> templates = new LinkedHashMap<>();
        JsonNode config = config(modelDir);
        if (ModelFile.exists(modelDir, FILE)) {
            templates.put(DEFAULT, file(modelDir, FILE));
            if (ModelFile.exists(modelDir, TOOLS_FILE)) {
                templates.put(WITH_TOOLS, file(modelDir, TOOLS_FILE));
            }
        } else {
            readConfigured(modelDir, config.path("chat_template"), templates);
        }
        if (templates.isEmpty()) {
            throw new IOException("The model directory " + modelDir + " has no chat template (neither " + FILE
                    + " nor chat_template in " + CONFIG
                    + "); copy it from the model's page, or give prompts as the model"
                    + " is to read them, without data.applyChatTemplate.");
        }
        return new ChatTemplate(templates, specialTokens(config), clock);
    }

    private static JsonNode config(Path modelDir) throws IOException {
        if (!ModelFile.exists(modelDir, CONFIG)) {
            return JSON.createObjectNode();
        }
        ModelFile file = ModelFile.read(modelDir, CONFIG, MAXIMUM_CONFIG_BYTES, "copy it there.");
        try {
            return JSON.readTree(file.bytes());
        } catch (JsonProcessingException e) {
            throw file.malformed("is not valid JSON (" + e.getOriginalMessage() + ")", e);
        }
    }

    private static Template file(Path modelDir, String name) throws IOException {
        ModelFile file = ModelFile.read(modelDir, name, MAXIMUM_TEMPLATE_BYTES, "copy it there.");
        return parsed(file.path(), new String(file.bytes(), StandardCharsets.UTF_8));
    }

    private static void readConfigured(Path modelDir, JsonNode configured, Map<String, Template> templates)
            throws IOException {
        Path path = modelDir.resolve(CONFIG);
        if (configured.isTextual()) {
            templates.put(DEFAULT, parsed(path, configured.textValue()));
        }
        for (JsonNode named : configured.isArray() ? configured : List.<JsonNode>of()) {
            String name = named.path("name").asText();
            if (name.equals(DEFAULT) || name.equals(WITH_TOOLS)) {
                templates.put(name, parsed(path, named.path("template").asText()));
            }
        }
    }

    private static Template parsed(Path path, String source) throws IOException {
        try {
            return Template.parse(source);
        } catch (TemplateException e) {
            throw new IOException(
                    "The chat template in " + path + " cannot be read (" + e.getMessage()
                            + "); fetch it again from the model's page, or apply it to the prompts beforehand.",
                    e);
        }
    }

    private static Map<String, String> specialTokens(JsonNode config) {
        Map<String, String> tokens = new HashMap<>();
        for (String name : SPECIAL_TOKENS) {
            JsonNode token = config.path(name);
            JsonNode text = token.isObject() ? token.path("content") : token;
            if (text.isTextual()) {
                tokens.put(name, text.textValue());
            }
        }
        return tokens;
    }

    /**
     * The prompt of a conversation, special tokens included; {@link Tokenizer#encode(String)} makes ids of it.
     *
     * @throws TemplateException if the template refuses the conversation, fails on it or takes too much
     * @throws IllegalArgumentException if there is no message, or one is no object
     */
    public String render(Conversation conversation) {
        Map<String, @Nullable Object> variables = new HashMap<>(specialTokens);
        conversation.arguments().forEach((name, value) -> {
            if (OWN.contains(name)) {
                throw new IllegalArgumentException(
                        "'" + name + "' is no argument of a chat template: it is always given");
            }
            variables.put(name, TemplateValues.of(value));
        });
        variables.put("messages", TemplateValues.messages(conversation.messages()));
        variables.put("tools", TemplateValues.of(conversation.tools()));
        variables.putIfAbsent("documents", null);
        variables.put("add_generation_prompt", conversation.addGenerationPrompt());
        return template(!conversation.tools().isNull()).render(variables, clock);
    }

    private Template template(boolean tools) {
        Template wanted =
                tools && templates.containsKey(WITH_TOOLS) ? templates.get(WITH_TOOLS) : templates.get(DEFAULT);
        if (wanted == null) {
            throw new IllegalArgumentException(
                    "the model has a chat template for conversations with tools only;" + " give the prompts tools");
        }
        return wanted;
    }
}

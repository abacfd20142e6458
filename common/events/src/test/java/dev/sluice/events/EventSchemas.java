package dev.sluice.events;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.github.victools.jsonschema.generator.CustomDefinition;
import com.github.victools.jsonschema.generator.FieldScope;
import com.github.victools.jsonschema.generator.Option;
import com.github.victools.jsonschema.generator.OptionPreset;
import com.github.victools.jsonschema.generator.SchemaGenerator;
import com.github.victools.jsonschema.generator.SchemaGeneratorConfigBuilder;
import com.github.victools.jsonschema.generator.SchemaVersion;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** JSON schemas of the events, made from the records and their {@link About} texts. */
final class EventSchemas {
    private final SchemaGenerator generator;

    EventSchemas() {
        SchemaGeneratorConfigBuilder builder = new SchemaGeneratorConfigBuilder(
                        SchemaVersion.DRAFT_2020_12, OptionPreset.PLAIN_JSON)
                .with(Option.INLINE_ALL_SCHEMAS, Option.EXTRA_OPEN_API_FORMAT_VALUES);
        builder.forTypesInGeneral()
                .withDescriptionResolver(scope -> about(scope.getType().getErasedType()))
                .withCustomDefinitionProvider((type, context) -> {
                    ObjectNode special = special(type.getErasedType());
                    return special == null ? null : new CustomDefinition(special, true);
                });
        builder.forFields().withRequiredCheck(EventSchemas::required).withDescriptionResolver(EventSchemas::about);
        generator = new SchemaGenerator(builder.build());
    }

    ObjectNode schema(Class<? extends Event> event) {
        ObjectNode schema = generator.generateSchema(event);
        schema.put("title", event.getSimpleName());
        return schema;
    }

    static String about(Class<?> type) {
        About about = type.getAnnotation(About.class);
        return about == null ? null : about.value();
    }

    /** Types whose JSON is not what their fields say. */
    private static @Nullable ObjectNode special(Class<?> type) {
        if (!type.isEnum()) {
            return base64(type);
        }
        ObjectNode schema = JsonNodeFactory.instance.objectNode().put("type", "string");
        Arrays.stream(type.getEnumConstants())
                .forEach(value -> schema.withArray("enum").add(value.toString().toLowerCase(Locale.ROOT)));
        return schema;
    }

    private static @Nullable ObjectNode base64(Class<?> type) {
        String values = type == Int32Array.class
                ? "int32"
                : type == Float32Array.class ? "float32" : type == UInt8Array.class ? "uint8" : null;
        return values == null
                ? null
                : JsonNodeFactory.instance
                        .objectNode()
                        .put("type", "string")
                        .put("contentEncoding", "base64")
                        .put("x-values", "little-endian " + values);
    }

    private static @Nullable String about(FieldScope field) {
        return component(field) == null || component(field).getAnnotation(About.class) == null
                ? null
                : component(field).getAnnotation(About.class).value();
    }

    private static boolean required(FieldScope field) {
        RecordComponent component = component(field);
        return component != null && !component.getAnnotatedType().isAnnotationPresent(Nullable.class);
    }

    private static @Nullable RecordComponent component(FieldScope field) {
        Class<?> owner = field.getMember().getDeclaringType().getErasedType();
        return owner.isRecord()
                ? Arrays.stream(owner.getRecordComponents())
                        .filter(component -> component.getName().equals(field.getName()))
                        .findFirst()
                        .orElse(null)
                : null;
    }
}

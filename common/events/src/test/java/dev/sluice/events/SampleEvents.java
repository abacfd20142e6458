package dev.sluice.events;

import java.lang.reflect.Constructor;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** One value of every event, every field set, the same each time: what the golden samples hold. */
final class SampleEvents {
    private SampleEvents() {}

    static Event of(Class<? extends Event> event) {
        return (Event) value(event, event.getSimpleName());
    }

    private static Object value(Type type, String name) {
        if (type instanceof ParameterizedType generic) {
            Type last = generic.getActualTypeArguments()[generic.getActualTypeArguments().length - 1];
            return generic.getRawType() == Map.class ? Map.of("key", value(last, name)) : List.of(value(last, name));
        }
        Class<?> raw = (Class<?>) type;
        if (raw.isRecord()) {
            return record(raw);
        }
        if (raw.isEnum()) {
            return raw.getEnumConstants()[raw.getEnumConstants().length - 1];
        }
        return scalar(raw, name);
    }

    private static Object scalar(Class<?> raw, String name) {
        return switch (raw.getSimpleName()) {
            case "String" -> name.equals("runId") ? "tiny-1" : name;
            case "int", "Integer" -> 7;
            case "long", "Long" -> 42L;
            case "double", "Double" -> 0.5;
            case "boolean", "Boolean" -> true;
            case "Instant" -> Instant.parse("2026-01-02T03:04:05Z");
            case "Int32Array" -> Int32Array.of(1, 258, -3);
            case "Float32Array" -> Float32Array.of(-0.5f, 0f);
            case "UInt8Array" -> UInt8Array.of((byte) 1, (byte) 0);
            default -> throw new IllegalStateException("no sample value for " + raw + " " + name);
        };
    }

    private static Object record(Class<?> raw) {
        RecordComponent[] components = raw.getRecordComponents();
        Object[] values = Arrays.stream(components)
                .map(component -> value(component.getGenericType(), component.getName()))
                .toArray();
        try {
            Constructor<?> constructor = raw.getDeclaredConstructor(
                    Arrays.stream(components).map(RecordComponent::getType).toArray(Class[]::new));
            constructor.setAccessible(true);
            return constructor.newInstance(values);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("cannot make a sample of " + raw, e);
        }
    }
}

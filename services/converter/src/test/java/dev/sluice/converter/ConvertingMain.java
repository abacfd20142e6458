package dev.sluice.converter;

import dev.sluice.kafka.EventPublisher;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.quarkus.Roots;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Converts as a converter does that was given a planned run: {@code ConvertingMain BROKER INSTANCE RUN DATA_ROOT MODEL}. */
final class ConvertingMain {
    private ConvertingMain() {}

    public static void main(String[] arguments) throws Exception {
        String instance = arguments[1];
        Path model = Path.of(arguments[4]);
        Roots roots = new Roots(Path.of(arguments[3]), List.of(model));
        ConverterFigures figures = new ConverterFigures(new SimpleMeterRegistry());
        ConversionCache cache = new ConversionCache(roots, instance, Configs.of(Map.of()), figures);
        try (EventPublisher publisher = EventPublisher.prompt(new KafkaConnection(arguments[0], instance))) {
            new Conversions(roots, cache, publisher, figures)
                    .convert(Models.planned(arguments[2], model), UUID.randomUUID());
        }
    }
}

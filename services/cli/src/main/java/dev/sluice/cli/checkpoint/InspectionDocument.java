package dev.sluice.cli.checkpoint;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.checkpoint.CheckpointView;
import dev.sluice.checkpoint.TensorEntry;
import dev.sluice.events.EventJson;
import java.util.Collection;
import java.util.List;

/** A checkpoint's content for programs; only its many items without tensors are left out unless asked for. */
final class InspectionDocument {
    private InspectionDocument() {}

    static ObjectNode of(CheckpointView view, List<String> problems, boolean items) {
        ObjectNode json = EventJson.mapper().createObjectNode();
        json.put("path", view.path().toString());
        json.put("format", Sides.word(view.format()));
        view.config()
                .filter(config -> config.has("model_type"))
                .ifPresent(config ->
                        json.put("modelType", config.path("model_type").asText()));
        view.iteration().ifPresent(iteration -> json.put("iteration", iteration));
        totals(json.putObject("totals"), view.tensors().values());
        tensors(json.putArray("tensors"), view.tensors().values());
        tensors(json.putArray("states"), view.states().values());
        json.put("itemCount", view.items().size());
        if (items) {
            view.items().forEach(json.putArray("items")::add);
        }
        ArrayNode files = json.putArray("files");
        view.files()
                .forEach((name, bytes) -> files.addObject().put("name", name).put("bytes", bytes));
        json.set("arguments", EventJson.mapper().valueToTree(view.arguments()));
        view.config().ifPresent(config -> json.set("config", config));
        view.notes().forEach(json.putArray("notes")::add);
        problems.forEach(json.putArray("problems")::add);
        return json;
    }

    private static void totals(ObjectNode json, Collection<TensorEntry> tensors) {
        total(json, Totals.of(tensors));
        ObjectNode types = json.putObject("types");
        Totals.byType(tensors).forEach((type, total) -> total(types.putObject(type.name()), total));
    }

    private static void total(ObjectNode json, Totals total) {
        json.put("tensors", total.tensors()).put("elements", total.elements()).put("bytes", total.bytes());
    }

    private static void tensors(ArrayNode list, Collection<TensorEntry> tensors) {
        for (TensorEntry tensor : tensors) {
            ObjectNode node = list.addObject();
            node.put("name", tensor.name()).put("dtype", tensor.dtype().name());
            node.set("shape", EventJson.mapper().valueToTree(tensor.shape()));
            node.put("bytes", tensor.bytes());
        }
    }
}

package dev.sluice.checkpoint;

import dev.sluice.checkpoint.pickle.PickleReader;
import dev.sluice.checkpoint.pickle.PickleValue;
import dev.sluice.checkpoint.pickle.PickleValue.Dict;
import dev.sluice.checkpoint.pickle.PickleValue.Entry;
import dev.sluice.checkpoint.pickle.PickleValue.Instance;
import dev.sluice.checkpoint.pickle.PickleValue.Int;
import dev.sluice.checkpoint.pickle.PickleValue.None;
import dev.sluice.checkpoint.pickle.PickleValue.Sequence;
import dev.sluice.checkpoint.pickle.PickleValue.Text;
import dev.sluice.checkpoint.pickle.PickleValue.Tuple;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What {@code .metadata} says: global tensors, byte items, and where both are stored.
 *
 * @param unreadable keys that cannot be used, with the reason; they matter only to who asks for them
 * @see <a href="https://github.com/pytorch/pytorch/blob/v2.11.0/torch/distributed/checkpoint/metadata.py">torch.distributed.checkpoint.metadata</a>
 */
record DistributedMetadata(
        SortedMap<String, ShardedTensor> tensors,
        SortedMap<String, StoredItem> byteItems,
        SortedMap<String, String> unreadable) {
    private static final String WHERE = ".metadata";
    /** Genuine objects have at most six. */
    private static final int MAX_ATTRIBUTES = 64;

    /** Comparable, so that keys which share a hash on purpose are still found fast. */
    private record Place(String key, @Nullable List<Long> offsets) implements Comparable<Place> {
        private static final Comparator<Place> ORDER =
                Comparator.comparing(Place::key).thenComparing(place -> String.valueOf(place.offsets));

        @Override
        public int compareTo(Place other) {
            return ORDER.compare(this, other);
        }
    }

    static DistributedMetadata read(ByteBuffer pickle) {
        if (!(PickleReader.read(pickle, WHERE) instanceof Instance metadata)
                || !metadata.type().name().equals("Metadata")) {
            throw new CheckpointException(WHERE + " is not the metadata of torch.distributed.checkpoint");
        }
        Map<Place, StoredItem> places = places(dict(metadata, "storage_data"));
        var result = new DistributedMetadata(new TreeMap<>(), new TreeMap<>(), new TreeMap<>());
        for (Entry entry : dict(metadata, "state_dict_metadata").entries()) {
            if (!(entry.key() instanceof Text(String key)) || !(entry.value() instanceof Instance description)) {
                throw new CheckpointException(WHERE + " lists something without a name");
            }
            result.add(key, description, places);
        }
        return result;
    }

    /** How long each data file must be at least. */
    SortedMap<String, Long> fileBytes() {
        SortedMap<String, Long> bytes = new TreeMap<>();
        byteItems.values().forEach(item -> bytes.merge(item.file(), item.end(), Math::max));
        for (ShardedTensor tensor : tensors.values()) {
            tensor.chunks()
                    .forEach(chunk ->
                            bytes.merge(chunk.stored().file(), chunk.stored().end(), Math::max));
        }
        return bytes;
    }

    private void add(String key, Instance description, Map<Place, StoredItem> places) {
        if (tensors.containsKey(key) || byteItems.containsKey(key) || unreadable.containsKey(key)) {
            throw new CheckpointException(WHERE + " lists " + key + " twice");
        }
        try {
            switch (description.type().name()) {
                case "TensorStorageMetadata" -> tensors.put(key, tensor(key, description, places));
                case "BytesStorageMetadata" -> byteItems.put(key, place(places, new Place(key, null)));
                default -> unreadable.put(key, "it is of the unknown kind " + description.type());
            }
        } catch (CheckpointException e) {
            unreadable.put(key, e.getMessage());
        }
    }

    private static ShardedTensor tensor(String key, Instance description, Map<Place, StoredItem> places) {
        List<Long> shape = numbers(description, "size");
        List<TensorChunk> chunks = new ArrayList<>();
        if (!(attribute(description, "chunks") instanceof Sequence listed)) {
            throw new CheckpointException("it lists no chunks");
        }
        for (PickleValue item : listed.items()) {
            if (!(item instanceof Instance chunk)) {
                throw new CheckpointException("it lists a chunk that is not one");
            }
            List<Long> offsets = numbers(chunk, "offsets");
            chunks.add(new TensorChunk(offsets, numbers(chunk, "sizes"), place(places, new Place(key, offsets))));
        }
        return new ShardedTensor(key, dtype(description), shape, chunks);
    }

    private static DType dtype(Instance description) {
        PickleValue properties = attribute(description, "properties");
        PickleValue dtype = PickleValue.NONE;
        if (properties instanceof Instance instance) {
            dtype = instance.state().orElse(PickleValue.NONE) instanceof Tuple(List<PickleValue> state)
                            && !state.isEmpty()
                    ? state.getFirst()
                    : attribute(instance, "dtype");
        }
        return TorchTypes.ofDtype(dtype)
                .orElseThrow(() -> new CheckpointException("its element type is not supported"));
    }

    private static Map<Place, StoredItem> places(Dict storage) {
        Map<Place, StoredItem> places = new HashMap<>();
        for (Entry entry : storage.entries()) {
            if (!(entry.key() instanceof Instance index)
                    || !(entry.value() instanceof Instance info)
                    || !(attribute(index, "fqn") instanceof Text(String key))) {
                throw new CheckpointException(WHERE + " stores something without a name");
            }
            places.put(new Place(key, offsets(index)), stored(info));
        }
        return places;
    }

    private static @Nullable List<Long> offsets(Instance index) {
        PickleValue offset = attribute(index, "offset");
        return offset instanceof None ? null : PickledNumbers.list(offset, WHERE);
    }

    private static StoredItem stored(Instance info) {
        if (attribute(info, "relative_path") instanceof Text(String path)
                && attribute(info, "offset") instanceof Int(long offset)
                && attribute(info, "length") instanceof Int(long length)) {
            return new StoredItem(path, offset, length);
        }
        throw new CheckpointException(WHERE + " has a storage entry without file, offset and length");
    }

    /** Each place serves one chunk: tensors that share one list of equal chunks would take memory without bound. */
    private static StoredItem place(Map<Place, StoredItem> places, Place place) {
        StoredItem stored = places.remove(place);
        if (stored == null) {
            throw new CheckpointException(".metadata does not say where its part at %s is stored, or lists it twice"
                    .formatted(place.offsets));
        }
        return stored;
    }

    private static PickleValue attribute(Instance object, String name) {
        // All objects of a pickle may share one dict, and each search walks through it.
        if (object.state().orElse(PickleValue.NONE) instanceof Dict attributes
                && attributes.entries().size() > MAX_ATTRIBUTES) {
            throw new CheckpointException("%s has a %s with %d attributes; at most %d are read"
                    .formatted(WHERE, object.type(), attributes.entries().size(), MAX_ATTRIBUTES));
        }
        return object.attribute(name).orElse(PickleValue.NONE);
    }

    private static List<Long> numbers(Instance instance, String attribute) {
        return PickledNumbers.list(attribute(instance, attribute), WHERE);
    }

    private static Dict dict(Instance metadata, String attribute) {
        if (attribute(metadata, attribute) instanceof Dict dict) {
            return dict;
        }
        throw new CheckpointException(WHERE + " has no " + attribute);
    }
}

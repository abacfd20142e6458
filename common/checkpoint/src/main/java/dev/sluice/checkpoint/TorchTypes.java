package dev.sluice.checkpoint;

import dev.sluice.checkpoint.pickle.PickleValue;
import dev.sluice.checkpoint.pickle.PickleValue.Global;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The closed table of torch names for element types: as a dtype and as the class of a storage. */
enum TorchTypes {
    FLOAT64(DType.F64, "float64", "DoubleStorage"),
    FLOAT32(DType.F32, "float32", "FloatStorage"),
    FLOAT16(DType.F16, "float16", "HalfStorage"),
    BFLOAT16(DType.BF16, "bfloat16", "BFloat16Storage"),
    INT64(DType.I64, "int64", "LongStorage"),
    INT32(DType.I32, "int32", "IntStorage"),
    INT16(DType.I16, "int16", "ShortStorage"),
    INT8(DType.I8, "int8", "CharStorage"),
    UINT8(DType.U8, "uint8", "ByteStorage"),
    BOOL(DType.BOOL, "bool", "BoolStorage");

    private static final Map<Global, DType> BY_DTYPE = index(t -> t.dtypeName);
    private static final Map<Global, DType> BY_STORAGE = index(t -> t.storageName);

    private final DType dtype;
    private final Global dtypeName;
    private final Global storageName;

    TorchTypes(DType dtype, String dtypeName, String storageName) {
        this.dtype = dtype;
        this.dtypeName = new Global("torch", dtypeName);
        this.storageName = new Global("torch", storageName);
    }

    static Optional<DType> ofDtype(PickleValue value) {
        return find(BY_DTYPE, value);
    }

    static Optional<DType> ofStorage(PickleValue value) {
        return find(BY_STORAGE, value);
    }

    /** Only a name is looked up: to hash a tuple of tuples, each of them shared, may take for ever. */
    private static Optional<DType> find(Map<Global, DType> types, PickleValue value) {
        return value instanceof Global global ? Optional.ofNullable(types.get(global)) : Optional.empty();
    }

    static Global dtypeName(DType dtype) {
        return of(dtype).dtypeName;
    }

    static Global storageName(DType dtype) {
        return of(dtype).storageName;
    }

    private static TorchTypes of(DType dtype) {
        for (TorchTypes type : values()) {
            if (type.dtype == dtype) {
                return type;
            }
        }
        throw new CheckpointException("torch_dist cannot hold tensors of type " + dtype);
    }

    private static Map<Global, DType> index(Function<TorchTypes, Global> name) {
        return java.util.Arrays.stream(values()).collect(Collectors.toUnmodifiableMap(name, t -> t.dtype));
    }
}

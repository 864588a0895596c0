extension TensorView {
    /// The elements as `Float`s, in row-major order; integers beyond 2^24 and float64 are rounded.
    public func floats() -> [Float] {
        numbers(Float.self)
    }

    /// The elements as `Double`s, in row-major order; integers beyond 2^53 are rounded.
    public func doubles() -> [Double] {
        numbers(Double.self)
    }

    /// The elements converted to `Number`; truth values become 0 and 1.
    private func numbers<Number: BinaryFloatingPoint>(_ type: Number.Type) -> [Number] {
        switch dataType {
        case .bool: map(UInt8.self) { $0 == 0 ? 0 : 1 }
        case .uint8: map(UInt8.self) { Number($0) }
        case .int8: map(Int8.self) { Number($0) }
        case .uint16: map(UInt16.self) { Number($0) }
        case .int16: map(Int16.self) { Number($0) }
        case .uint32: map(UInt32.self) { Number($0) }
        case .int32: map(Int32.self) { Number($0) }
        case .uint64: map(UInt64.self) { Number($0) }
        case .int64: map(Int64.self) { Number($0) }
        case .float16: map(Float16.self) { Number($0) }
        case .bfloat16: map(BFloat16.self) { Number(Float($0)) }
        case .float32: map(Float.self) { Number($0) }
        case .float64: map(Double.self) { Number($0) }
        case .float8E4M3: map(Float8E4M3.self) { Number(Float($0)) }
        case .float8E5M2: map(Float8E5M2.self) { Number(Float($0)) }
        }
    }

    private func map<Element: BitwiseCopyable, Number>(
        _ type: Element.Type, _ convert: (Element) -> Number
    ) -> [Number] {
        withElements(as: type) { $0.map(convert) }
    }
}

/// A model whose weights can be prepared, and what its files are called.
public enum PreparedModel: Sendable {
    /// The denoiser.
    case denoiser
    /// The UMT5 text encoder.
    case textEncoder

    /// What the names of shards and of their index begin with.
    var stem: String {
        switch self {
        case .denoiser: "diffusion_pytorch_model"
        case .textEncoder: "models_t5_umt5-xxl-enc"
        }
    }

    /// The name of the index that loaders look for.
    var indexName: String { "\(stem).safetensors.index.json" }

    /// The name of the report in the folder.
    var reportName: String {
        switch self {
        case .denoiser: "preparation.json"
        case .textEncoder: "text-preparation.json"
        }
    }

    /// The name of a shard, counted from 1.
    func shardName(_ number: Int, of count: Int) -> String {
        func digits(_ number: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, 5 - text.count)) + text
        }
        return "\(stem)-\(digits(number))-of-\(digits(count)).safetensors"
    }
}

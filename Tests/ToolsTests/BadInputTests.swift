import Foundation
import TestSupport
import Testing

/// Input that is wrong: one clear line, exit code 1 or 64, and what was there before stays as it was.
@Suite struct BadInputTests {
    let refusal = Refusal()

    // MARK: Files

    /// What the command line alone shows to be wrong is wrong usage, with the option's name.
    @Test(arguments: [
        (
            ["--step-range", "1-2"],
            "--step-range 1-2 needs the final latents, --refresh-from, which is missing."
        ),
        (["--step-range", "3-4"], "--step-range 3-4 goes on from --input, which is missing."),
        (
            ["--step-range", "1-4", "--input", "x"],
            "--step-range 1-4 starts from noise and takes no --input."
        ),
        (
            ["--step-range", "3-4", "--input", "x", "--solver", "unipc"],
            "--solver unipc remembers earlier steps: only euler goes with --step-range."
        ),
        (["--guidance", "nan", "--negative-text", "x"], "--guidance must be a number."),
        (["--guidance", "3"], "--guidance goes with --negative-text."),
        (["--lora-scale", "2"], "--lora-scale goes with --lora."),
        (["--consume"], "--consume goes with --input."),
        (["--max-blocks", "0"], "--max-blocks must be at least 1."),
    ])
    func optionsThatNeedOthers(options: [String], problem: String) throws {
        let message = problem.hasSuffix(".") ? String(problem.dropLast()) : problem
        try refusal.expect(
            "\(message) (see 'denoise-latents --help')", status: 64, from: "denoise-latents",
            TinyRun.get().denoising + options)
    }

    @Test func missingFiles() throws {
        let run = try TinyRun.get()
        let missing = "No such file or directory"
        let weights = TinyRun.weights
        try refusal.expect(
            "cannot open '@none.txt': \(missing)", from: "encode-text",
            ["--weights", weights, "--prompt-file", "@none.txt"])
        try refusal.expect(
            "cannot read '@none.wav': \(missing)", from: "encode-audio",
            ["--weights", weights, "@none.wav"])
        try refusal.expect(
            "cannot open '@none.png': \(missing)", from: "encode-vae",
            ["--weights", weights, "@none.png"])
        try refusal.expect(
            "cannot open '@none': \(missing)", from: "denoise-latents",
            [
                "--weights", weights, "--text", "@none", "--audio", run.audio, "--reference",
                run.reference,
            ])
        try refusal.expect(
            "cannot read '@none': there is no stream.json in it", from: "decode-vae",
            ["--weights", weights, "@none"])
        try refusal.expect(
            "cannot read '@none.wav': \(missing)", from: "mux-video",
            ["--audio", "@none.wav", run.frames])
        try refusal.expect(
            "cannot open '@none': \(missing)", from: "encode-text",
            ["--weights", "@none", "--prompt", "A man."])
    }

    @Test func foldersForFiles() throws {
        let run = try TinyRun.get()
        let weights = TinyRun.weights
        let directory = "Is a directory"
        try FileManager.default.createDirectory(
            atPath: refusal.folder.path("folder"), withIntermediateDirectories: true)
        try refusal.expect(
            "cannot read '@folder': \(directory)", from: "encode-text",
            ["--weights", weights, "--prompt-file", "@folder"])
        try refusal.expect(
            "cannot read '@folder': \(directory)", from: "encode-audio",
            ["--weights", weights, "@folder"])
        try refusal.expect(
            "cannot read '@folder': \(directory)", from: "encode-vae",
            ["--weights", weights, "@folder"])
        try refusal.expect(
            "cannot read '@folder': \(directory)", from: "denoise-latents",
            [
                "--weights", weights, "--text", run.text, "--audio", "@folder", "--reference",
                run.reference,
            ])
        try refusal.expect(
            "cannot read '@folder': there is no stream.json in it", from: "decode-vae",
            ["--weights", weights, "@folder"])
    }

    @Test func filesForFolders() throws {
        let run = try TinyRun.get()
        try refusal.expect(
            "cannot open '\(run.text)/stream.json': Not a directory", from: "decode-vae",
            ["--weights", TinyRun.weights, run.text])
        try refusal.expect(
            "cannot open '\(run.text)': Not a directory", from: "encode-text",
            ["--weights", run.text, "--prompt", "A man."])
    }

    // MARK: Voices and pictures

    @Test func emptySound() throws {
        try refusal.write([], to: "empty.wav")
        try refusal.expect(
            "cannot read '@empty.wav': the file is empty", from: "encode-audio",
            ["--weights", TinyRun.weights, "@empty.wav"])
        try writeWave([], rate: 16000, channels: 1, bits: 16, to: refusal.folder.path("silent.wav"))
        try refusal.expect(
            "cannot read '@silent.wav': its sound is empty", from: "encode-audio",
            ["--weights", TinyRun.weights, "@silent.wav"])
        try writeWave(
            [UInt8](repeating: 1, count: 1400), rate: 16000, channels: 1, bits: 16,
            to: refusal.folder.path("short.wav"))
        try refusal.expect(
            "cannot use '@short.wav': the recording is too short: it has 700 samples at 16000 Hz,"
                + " the model needs 720", from: "encode-audio",
            ["--weights", TinyRun.weights, "@short.wav"])
        try refusal.write(Array("no sound\n".utf8), to: "text.wav")
        try refusal.expect(
            "cannot read '@text.wav': no sound or video that libav knows, or damaged",
            from: "encode-audio",
            ["--weights", TinyRun.weights, "@text.wav"])
        try refusal.expect(
            "cannot read '\(TinyRun.image)': the file has no sound", from: "encode-audio",
            ["--weights", TinyRun.weights, TinyRun.image])
    }

    @Test func badPictures() throws {
        try refusal.write([], to: "empty.png")
        try refusal.expect(
            "cannot read '@empty.png': the file is empty", from: "encode-vae",
            ["--weights", TinyRun.weights, "@empty.png"])
        try refusal.expect(
            "cannot read '\(TinyRun.voice)': not a JPEG, PNG or WebP image", from: "encode-vae",
            ["--weights", TinyRun.weights, TinyRun.voice])
    }

    @Test func aPictureOf400Megapixels() throws {
        var bomb = [UInt8](
            try Data(contentsOf: URL(fileURLWithPath: Fixtures.path("media/rgba.png"))))
        bomb.replaceSubrange(16..<24, with: [0, 0, 0x4E, 0x20, 0, 0, 0x4E, 0x20])
        try refusal.write(bomb, to: "bomb.png")
        try refusal.expect(
            "cannot read '@bomb.png': 20000x20000 pixels, at most 134217728 are read",
            from: "encode-vae",
            ["--weights", TinyRun.weights, "@bomb.png"])
    }

    @Test func aSizeThatIsNone() throws {
        try refusal.expect(
            "the value '64' is invalid for '--size <size>': A size is typed as in 704x384, width first (see 'encode-vae --help')",
            status: 64, from: "encode-vae",
            ["--weights", TinyRun.weights, "--size", "64", TinyRun.image])
    }

    // MARK: Steps

    @Test(arguments: ["3-2", "0-2"])
    func stepsOutOfOrder(range: String) throws {
        try refusal.expect(
            "the value '\(range)' is invalid for '--step-range <from-to>': Steps count from 1, the lower one first (see 'denoise-latents --help')",
            status: 64, from: "denoise-latents",
            ["--step-range", range])
    }

    @Test func stepsThatDoNotFollow() throws {
        let run = try TinyRun.get()
        try refusal.expect(
            "--step-range 3-5 is not among 4 steps (see 'denoise-latents --help')", status: 64,
            from: "denoise-latents",
            run.denoising + ["--step-range", "3-5"])
        try refusal.expect(
            "cannot read '\(run.latents)': its latents are after step 4 of 4, expected 2 of 4",
            from: "denoise-latents",
            run.denoising + ["--step-range", "3-4", "--input", run.latents])
    }
}

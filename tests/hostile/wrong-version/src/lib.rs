//! A component of a version of the world that no host supports yet.

wit_bindgen::generate!({
    inline: "
        package tapedeck:plugin@9.0.0;

        interface host {
            log: func(message: string);
        }

        interface plugin {
            describe: func() -> string;
            decode: func(frames: list<list<u8>>) -> list<string>;
        }

        world tapedeck-plugin {
            import host;
            export plugin;
        }
    ",
});

struct FromTheFuture;

impl exports::tapedeck::plugin::plugin::Guest for FromTheFuture {
    fn describe() -> String {
        tapedeck::plugin::host::log("hello from version 9");
        "wrong_version".to_owned()
    }

    fn decode(frames: Vec<Vec<u8>>) -> Vec<String> {
        frames.iter().map(|frame| String::from_utf8_lossy(frame).into_owned()).collect()
    }
}

export!(FromTheFuture);

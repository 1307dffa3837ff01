//! The line that makes a crate a plugin.

/// Exports a [`Plugin`](crate::Plugin) as the component's functions: `tapedeck_sdk::register!(Acme);`, once a crate.
///
/// It does something on wasm32 only: natively the crate stays a plain library, so that tests can link several plugins.
#[macro_export]
macro_rules! register {
    ($plugin:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            use $crate::bindings::exports::tapedeck::plugin::plugin::Guest;

            // A component's instance has one thread, and the host never calls it again while it is inside a call.
            ::std::thread_local! {
                static SESSION: ::core::cell::RefCell<$crate::Session<$plugin>> =
                    const { ::core::cell::RefCell::new($crate::Session::new()) };
            }

            struct Registered;

            impl Guest for Registered {
                fn describe() -> $crate::Description {
                    $crate::Session::<$plugin>::describe()
                }

                fn open(
                    request: $crate::OpenRequest,
                ) -> ::core::result::Result<$crate::SessionPlan, $crate::OpenError> {
                    SESSION.with_borrow_mut(|session| session.open(&request))
                }

                fn decode(batch: $crate::Batch) -> ::core::result::Result<$crate::Decoded, ::std::string::String> {
                    SESSION.with_borrow_mut(|session| session.decode(&batch))
                }

                fn backfill(gap: $crate::Gap) -> ::core::result::Result<$crate::HttpRequest, ::std::string::String> {
                    SESSION.with_borrow_mut(|session| session.backfill(&gap))
                }

                fn decode_backfill(
                    gap: $crate::Gap,
                    request: $crate::HttpRequest,
                    response: $crate::HttpResponse,
                ) -> ::core::result::Result<$crate::Page, ::std::string::String> {
                    SESSION.with_borrow_mut(|session| session.decode_backfill(&gap, &request, &response))
                }
            }

    $crate::bindings::export!(Registered with_types_in $crate::bindings);
        };
    };
}

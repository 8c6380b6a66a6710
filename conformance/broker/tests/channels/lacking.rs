//! A broker that cannot do what channels need.

use workwire_broker::{About, Answer, Broker, Capability, Channels, Client, FaceError, MemoryBroker};

struct Lesser {
    inner: MemoryBroker,
    about: About,
}

impl Broker for Lesser {
    fn about(&self) -> &About {
        &self.about
    }

    fn open<'a>(&'a self, client: &'a str) -> Answer<'a, Box<dyn Client>> {
        self.inner.open(client)
    }

    fn shutdown(&self) -> Answer<'_, ()> {
        self.inner.shutdown()
    }
}

#[tokio::test]
async fn a_broker_that_lacks_what_channels_need_is_refused_by_name() {
    let inner = MemoryBroker::default();
    let mut about = inner.about().clone();
    about.capabilities = about.capabilities.without(Capability::Browse).without(Capability::Lease);
    let error = Channels::open(&Lesser { inner, about }, "planner").await.unwrap_err();
    let lease_and_browse = [Capability::Browse, Capability::Lease];
    assert!(matches!(&error, FaceError::Lacking { missing, .. } if *missing == lease_and_browse), "{error:?}");
    assert_eq!(error.to_string(), "broker memory: expected the capabilities browse, lease, which it does not claim");
}

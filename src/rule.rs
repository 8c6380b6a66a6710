//! The rules that a violation can name. Each is a clause of the [specification](crate::spec).

use std::fmt;
use std::str::FromStr;

/// What can tell that a rule is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// The validating JSON Schema refuses it too.
    Schema,
    /// JSON Schema cannot say it; only a decoder can.
    Beyond,
    /// A SHOULD: a warning beside an accepted message, never a refusal.
    Warning,
}

macro_rules! rules {
    ($($name:ident $id:literal $scope:ident)*) => {
        /// A rule of the specification that a [`Violation`](crate::Violation) names.
        ///
        /// ```
        /// use workwire::{Rule, Scope};
        /// assert_eq!(Rule::Wrs4.id(), "WRS-4");
        /// assert_eq!(Rule::Wrs4.scope(), Scope::Schema);
        /// assert_eq!("WRS-4".parse(), Ok(Rule::Wrs4));
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Rule {
            $(#[doc = concat!("Clause ", $id, ".")] $name,)*
        }

        impl Rule {
            /// Every rule, in the order of the specification.
            pub const ALL: &'static [Rule] = &[$(Rule::$name,)*];

            /// The id of its clause, `WRS-4` for example. It never changes.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Rule::$name => $id,)* }
            }

            /// What can tell that it is broken.
            #[must_use]
            pub const fn scope(self) -> Scope {
                match self { $(Rule::$name => Scope::$scope,)* }
            }
        }
    };
}

rules! {
    Jsn1 "JSN-1" Beyond
    Jsn2 "JSN-2" Beyond
    Jsn3 "JSN-3" Beyond
    Jsn4 "JSN-4" Beyond
    Jsn5 "JSN-5" Beyond
    Jsn6 "JSN-6" Beyond
    Jsn7 "JSN-7" Beyond
    Jsn8 "JSN-8" Beyond
    Jsn9 "JSN-9" Beyond
    Jsn10 "JSN-10" Schema
    Jsn11 "JSN-11" Beyond
    Fld1 "FLD-1" Schema
    Fld2 "FLD-2" Schema
    Ver1 "VER-1" Schema
    Ver2 "VER-2" Schema
    Num1 "NUM-1" Schema
    Num2 "NUM-2" Beyond
    Num3 "NUM-3" Schema
    Uid1 "UID-1" Schema
    Tim1 "TIM-1" Schema
    Tim2 "TIM-2" Schema
    Tim3 "TIM-3" Beyond
    Nam1 "NAM-1" Schema
    Txt1 "TXT-1" Schema
    Txt2 "TXT-2" Schema
    Env1 "ENV-1" Schema
    Env2 "ENV-2" Schema
    Env3 "ENV-3" Schema
    Env4 "ENV-4" Schema
    Env5 "ENV-5" Schema
    Env6 "ENV-6" Warning
    Env7 "ENV-7" Warning
    Wrq1 "WRQ-1" Schema
    Wrq2 "WRQ-2" Schema
    Wrq3 "WRQ-3" Schema
    Wrq4 "WRQ-4" Schema
    Wst1 "WST-1" Schema
    Wst2 "WST-2" Schema
    Wst3 "WST-3" Schema
    Wst4 "WST-4" Schema
    Wst5 "WST-5" Schema
    Wst6 "WST-6" Schema
    Wst7 "WST-7" Beyond
    Wrs1 "WRS-1" Schema
    Wrs2 "WRS-2" Schema
    Wrs3 "WRS-3" Schema
    Wrs4 "WRS-4" Schema
    Wrs5 "WRS-5" Schema
    Wrs6 "WRS-6" Schema
    Stu1 "STU-1" Schema
    Stu2 "STU-2" Schema
    Stu3 "STU-3" Schema
    Stu4 "STU-4" Schema
    Stu5 "STU-5" Schema
    Stu6 "STU-6" Beyond
    Stu7 "STU-7" Schema
    Err1 "ERR-1" Schema
    Err2 "ERR-2" Schema
    Err3 "ERR-3" Schema
    Chn1 "CHN-1" Schema
    Chn2 "CHN-2" Schema
    Chn3 "CHN-3" Schema
    Chn4 "CHN-4" Schema
    Chn7 "CHN-7" Warning
    Evt1 "EVT-1" Schema
    Evt2 "EVT-2" Schema
    Evt3 "EVT-3" Schema
    Evt4 "EVT-4" Schema
    Evt5 "EVT-5" Schema
    Evt6 "EVT-6" Beyond
    Evt7 "EVT-7" Schema
    Str3 "STR-3" Beyond
    Trc2 "TRC-2" Beyond
    Cle1 "CLE-1" Beyond
    Cle2 "CLE-2" Beyond
    Cle3 "CLE-3" Beyond
    Cle4 "CLE-4" Beyond
    Cle5 "CLE-5" Beyond
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// The text names no rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownRule(String);

impl fmt::Display for UnknownRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected the id of a rule such as WRS-4, found {:?}", self.0)
    }
}

impl std::error::Error for UnknownRule {}

impl FromStr for Rule {
    type Err = UnknownRule;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        Rule::ALL.iter().copied().find(|rule| rule.id() == id).ok_or_else(|| UnknownRule(id.chars().take(40).collect()))
    }
}
